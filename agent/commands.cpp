// SPDX-License-Identifier: Apache-2.0
// The commands that come in order.
#include <string.h>

#include "agent.hpp"

namespace agent {

using wire::Command;
using wire::Status;

// A command that comes in order, and what its payload has at least.
struct Agent::Ordered {
  void (*execute)(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  uint8_t least_bytes;
  bool names_model;  // the payload begins with a model's id: the command gets the model, if there is one
};

const Agent::Ordered Agent::ordered[] = {
    // as wire::Command numbers them, from heap to reset
    {heap, 0, false},
    {allocate, sizeof(wire::Allocate), false},
    {release, sizeof(wire::Address), false},
    {read, sizeof(wire::Range), false},
    {write, sizeof(wire::Address), false},
    {find, 0, false},
    {load, sizeof(wire::Range), false},
    {commit, sizeof(wire::ModelId), true},
    {unload, sizeof(wire::ModelId), true},
    {models, sizeof(wire::Index), false},
    {input, sizeof(wire::Part), true},
    {call, sizeof(wire::CallHeader), true},
    {output, sizeof(wire::Part) + sizeof(wire::Index), true},
    {profile, 0, false},
    {reset, 0, false},
};

void Agent::execute(Request& request) {
  static_assert(sizeof ordered / sizeof ordered[0] ==
                    static_cast<uint32_t>(Command::reset) - static_cast<uint32_t>(Command::heap) + 1,
                "a row for each command");
  const uint32_t index = static_cast<uint32_t>(request.command) - static_cast<uint32_t>(Command::heap);
  if (index >= sizeof ordered / sizeof ordered[0]) return answer_.refuse(Status::unknown_command);
  const Ordered& command = ordered[index];
  const auto* const asked = static_cast<const uint32_t*>(request.take(command.least_bytes));
  if (asked == nullptr) return answer_.refuse(Status::malformed);
  Model* model = nullptr;
  if (command.names_model) {
    model = models_.find(static_cast<uint16_t>(*asked));
    if (model == nullptr || model->id == 0) return answer_.refuse(Status::no_such_model);
  }
  command.execute(*this, asked, request, model);
}

void Agent::heap(Agent& agent, const uint32_t*, Request&, Model*) {
  for (uint32_t i = 0; i < agent.pool_.regions(); ++i) agent.pool_.use(i, agent.answer_.make<wire::HeapOf>());
}

void Agent::allocate(Agent& agent, const uint32_t* payload, Request&, Model*) {
  wire::Allocate asked = *reinterpret_cast<const wire::Allocate*>(payload);
  Answer& answer = agent.answer_;
  if (asked.bytes == 0 || (asked.alignment & (asked.alignment - 1)) != 0 || asked.kind > wire::Kind::data)
    return answer.refuse(Status::malformed);
  wire::Shortage shortage{asked.bytes, 0, 0};
  if (asked.kind != wire::Kind::constants) {  // what the core's protection has to tell apart
    const uint32_t step = core_block_alignment(asked.bytes);
    if (asked.alignment < step) asked.alignment = step;
    if (asked.bytes <= ~step) asked.bytes = (asked.bytes + (step - 1)) & ~(step - 1);
  }
  uint32_t address;
  answer.status = agent.pool_.allocate(asked, address, shortage);
  if (answer.status == Status::ok) answer.put(address);
  if (answer.status == Status::out_of_memory) answer.make<wire::Shortage>() = shortage;
}

void Agent::release(Agent& agent, const uint32_t* address, Request&, Model*) {
  Block* const block = agent.pool_.find(*address);
  if (block == nullptr || block->session == 0) return agent.answer_.refuse(Status::not_owned, *address);
  agent.pool_.release(*block);
}

void Agent::read(Agent& agent, const uint32_t* asked, Request&, Model*) { agent.read(asked, agent.answer_); }

// An address and how many bytes.
void Agent::read(const uint32_t* asked, Answer& answer) {
  if (asked[1] > payload_bytes) return answer.refuse(Status::malformed);
  if (asked[1] != 0 && pool_.holding(asked[0], asked[1]) == nullptr)
    return answer.refuse(Status::not_owned, asked[0]);
  answer.add(pointer_to(asked[0]), asked[1]);
}

void Agent::write(Agent& agent, const uint32_t* address, Request& request, Model*) {
  if (request.bytes == 0) return agent.answer_.refuse(Status::malformed);
  const Block* const block = agent.pool_.holding(*address, request.bytes);
  if (block == nullptr || block->session == 0) return agent.answer_.refuse(Status::not_owned, *address);
  memcpy(pointer_to(*address), request.payload, request.bytes);
}

void Agent::find(Agent& agent, const uint32_t*, Request& request, Model*) {
  struct Hash {
    uint32_t words[2];
  };
  if (request.bytes > sizeof(Hash) * 32) return agent.answer_.refuse(Status::malformed);
  while (const auto* const hash = request.take<Hash>()) agent.answer_.put(agent.models_.section_with(hash->words));
}

void Agent::load(Agent& agent, const uint32_t* record, Request& request, Model*) {
  Model* model = nullptr;
  const OwnerSignature signature{agent.board_, request.payload, request.bytes};
  const Status status =
      agent.models_.load(record[0], record[1], agent.guard_.keyed() ? &signature : nullptr, model);
  if (status != Status::ok) return agent.answer_.refuse(status, agent.models_.detail());
  const Span code = model->record.only(wire::Kind::code);
  agent.board_.sync_code(reinterpret_cast<void*>(code.begin), code.end - code.begin);
  agent.answer_.put(model->id);
}

void Agent::commit(Agent& agent, const uint32_t*, Request&, Model* model) { agent.models_.commit(*model); }

void Agent::unload(Agent& agent, const uint32_t*, Request&, Model* model) { agent.models_.drop(*model); }

void Agent::models(Agent& agent, const uint32_t* index, Request&, Model*) {
  const Model* const model = agent.models_.at(*index);
  if (model == nullptr) return agent.answer_.refuse(Status::no_such_model);
  static_assert(sizeof(Model) == sizeof(wire::ModelOf), "it is sent as it lies in memory");
  agent.answer_.add(model, sizeof(Model));
}

void Agent::input(Agent& agent, const uint32_t* part, Request& request, Model* model) {
  if (agent.pass(*model, part[1], request.bytes, request.payload) != 0) agent.answer_.refuse(Status::wrong_size);
}

void Agent::output(Agent& agent, const uint32_t* part, Request&, Model* model) {
  agent.pass(*model, part[1], part[2], nullptr);
}

void Agent::profile(Agent& agent, const uint32_t*, Request&, Model*) {
  agent.answer_.add(&agent.caller_.profile(), sizeof(wire::ProfileOf));
}

void Agent::reset(Agent& agent, const uint32_t*, Request& request, Model*) {
  agent.link_.send(request, agent.answer_);
  agent.board_.reset();
}

void Agent::call(Agent& agent, const uint32_t* payload, Request& request, Model* model) {
  const auto& asked = *reinterpret_cast<const wire::CallHeader*>(payload);
  const Record& record = model->record;
  uint32_t total = 0;
  for (uint32_t i = 0; i < record->inputs; ++i) total += record.place(i).bytes;
  wire::FrameOf frame{total - request.bytes, 0, payload_bytes};
  if ((asked.flags & wire::frame) != 0) {
    const auto* const given = request.take<wire::FrameOf>();
    if (given == nullptr) return agent.answer_.refuse(Status::malformed);
    frame = *given;
  }
  if ((asked.flags & wire::no_output) != 0) frame.output_bytes = 0;
  agent.frame_ = frame;
  if (asked.entry > wire::Entry::start || record.entry(asked.entry) == 0)
    return agent.answer_.refuse(Status::malformed);
  if (request.bytes > total || agent.pass(*model, frame.input, request.bytes, request.payload) != 0)
    return agent.answer_.refuse(Status::wrong_size, total);
  const uint32_t deadline = asked.deadline_ms == 0 ? wire::default_deadline_ms : asked.deadline_ms;
  agent.caller_.begin(*model, asked.entry, deadline, (asked.flags & wire::paint) != 0);
}

// The inputs, or the outputs, lie behind each other for the host and apart in the model's data: those of the input
// are copied, those of the output (input is null) go into the answer, as many as it holds; the host asks for the
// rest. Returns how many bytes have no place.
uint32_t Agent::pass(const Model& model, uint32_t position, uint32_t count, const uint8_t* input) {
  const Record& record = model.record;
  uint32_t i = 0, end = record->inputs;
  if (input == nullptr) {
    i = end;
    end = record.places();
    if (count > payload_bytes) count = payload_bytes;
  }
  for (; i < end && count != 0; ++i) {
    const wire::Range place = record.place(i);
    if (position >= place.bytes) {
      position -= place.bytes;
      continue;
    }
    const uint32_t now = count < place.bytes - position ? count : place.bytes - position;
    uint8_t* const at = pointer_to(place.address + position);
    if (input != nullptr) {
      memcpy(at, input, now);
      input += now;
    } else if (answer_.part_count < Answer::most_parts) {
      answer_.add(at, now);
    }
    count -= now;
    position = 0;
  }
  return count;
}

// The answer of a call that is over; its status is set.
void Agent::end_call(const Model& model) {
  static_assert(sizeof(Fault) == sizeof(wire::StopOf), "it is sent as it lies in memory");
  if (answer_.status != Status::ok) return answer_.add(&caller_.activity().fault, sizeof(Fault));
  pass(model, frame_.output, frame_.output_bytes, nullptr);
}

}  // namespace agent
