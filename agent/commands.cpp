// SPDX-License-Identifier: Apache-2.0
// The commands that come in order.
#include <string.h>

#include "agent.hpp"

namespace agent {

using wire::Command;
using wire::Status;

// False: the payload has not the form that the command asks for.
bool Agent::execute(Request request) {
  switch (request.command) {
    case Command::heap: heap(); return true;
    case Command::allocate: return allocate(request);
    case Command::release: return release(request);
    case Command::read: return read(request);
    case Command::write: return write(request);
    case Command::find: return find(request);
    case Command::load: return load(request);
    case Command::commit:
    case Command::unload: return change(request);
    case Command::models: return describe(request);
    case Command::input: return input(request);
    case Command::call: return call(request);
    case Command::output: return output(request);
    case Command::profile: profile(); return true;
    case Command::reset:
      link_.send(request, answer_);
      board_.reset();
      return true;
    default: answer_.status = Status::unknown_command; return true;
  }
}

void Agent::heap() {
  for (uint32_t i = 0; i < pool_.regions(); ++i) answer_.make<wire::HeapOf>() = pool_.use(i);
}

bool Agent::allocate(Request& request) {
  const auto* const asked = request.take<wire::Allocate>();
  if (asked == nullptr || asked->bytes == 0 || (asked->alignment & (asked->alignment - 1)) != 0 ||
      asked->kind > wire::Kind::data)
    return false;
  wire::Allocate wanted = *asked;
  if (wanted.kind != wire::Kind::constants) {  // what the core's protection has to tell apart
    const uint32_t step = core_block_alignment(wanted.bytes);
    if (wanted.alignment < step) wanted.alignment = step;
    if (wanted.bytes <= ~step) wanted.bytes = (wanted.bytes + (step - 1)) & ~(step - 1);
  }
  uint32_t address = 0;
  answer_.status = pool_.allocate(wanted, address);
  if (answer_.status == Status::ok) answer_.put(address);
  if (answer_.status != Status::out_of_memory) return true;
  auto& shortage = answer_.make<wire::Shortage>();
  shortage = wire::Shortage{asked->bytes, 0, 0};
  for (uint32_t i = 0; i < pool_.regions(); ++i) {
    if (asked->region < pool_.regions() && i != asked->region) continue;
    const wire::HeapOf use = pool_.use(i);
    shortage.free += use.free;
    if (use.largest > shortage.largest) shortage.largest = use.largest;
  }
  return true;
}

bool Agent::release(Request& request) {
  const auto* const asked = request.take<wire::Address>();
  if (asked == nullptr) return false;
  Block* const block = pool_.find(asked->address);
  if (block != nullptr && block->session != 0 && block->models == 0)
    pool_.release(*block);
  else
    answer_.refuse(Status::not_owned, asked->address);
  return true;
}

bool Agent::read(Request& request) {
  const auto* const asked = request.take<wire::Range>();
  if (asked == nullptr || asked->bytes > payload_bytes) return false;
  answer_.clear(Status::ok);
  if (asked->bytes == 0 || pool_.holding(asked->address, asked->bytes) != nullptr)
    answer_.add(pointer_to(asked->address), asked->bytes);
  else
    answer_.refuse(Status::not_owned, asked->address);
  return true;
}

bool Agent::write(Request& request) {
  const auto* const asked = request.take<wire::Address>();
  if (asked == nullptr || request.bytes == 0) return false;
  const Block* const block = pool_.holding(asked->address, request.bytes);
  if (block != nullptr && block->session != 0)
    memcpy(pointer_to(asked->address), request.payload, request.bytes);
  else
    answer_.refuse(Status::not_owned, asked->address);
  return true;
}

bool Agent::find(Request& request) {
  struct Hash {
    uint32_t words[2];
  };
  if (request.bytes > sizeof(Hash) * 32) return false;
  while (const auto* const hash = request.take<Hash>()) answer_.put(models_.section_with(hash->words));
  return true;
}

bool Agent::load(Request& request) {
  const auto* const asked = request.take<wire::Range>();
  if (asked == nullptr) return false;
  Model* model = nullptr;
  const OwnerSignature signature{board_.identity(), request.payload, request.bytes};
  const Verdict verdict = models_.load(asked->address, asked->bytes, guard_.keyed() ? &signature : nullptr, model);
  if (verdict.status != Status::ok) {
    answer_.refuse(verdict.status, verdict.detail);
    return true;
  }
  const wire::Range code = model->record.only(wire::Kind::code);
  board_.sync_code(pointer_to(code.address), code.bytes);
  answer_.put(model->id);
  return true;
}

bool Agent::change(Request& request) {
  const auto* const asked = request.take<wire::ModelId>();
  if (asked == nullptr) return false;
  Model* const model = this->model(asked->model);
  if (model == nullptr) return true;
  if (request.command == Command::commit)
    models_.commit(*model);
  else
    models_.drop(*model);
  return true;
}

Model* Agent::model(uint16_t id) {
  Model* const model = models_.find(id);
  if (model == nullptr) answer_.clear(Status::no_such_model);
  return model;
}

bool Agent::describe(Request& request) {
  const auto* const asked = request.take<wire::Index>();
  if (asked == nullptr) return false;
  const Model* const model = models_.at(asked->value);
  if (model == nullptr) {
    answer_.status = Status::no_such_model;
    return true;
  }
  const Record& record = model->record;
  uint32_t bytes = record.size();
  for (uint32_t i = 0; i < record->sections; ++i) bytes += record.section(i).bytes;
  answer_.make<wire::ModelOf>() =
      wire::ModelOf{model->id,     static_cast<uint16_t>(model->state == Model::serving),
                    bytes,         model->calls,
                    model->faults, {record.address(), record.size()}};
  return true;
}

// The inputs, or the outputs, lie behind each other for the host and apart in the model's data: f(place, bytes)
// for each piece of [position, position + count). Returns how many bytes are beyond them.
template <class F>
uint32_t Agent::pieces(const Record& record, uint32_t first, uint32_t end, uint32_t position, uint32_t count,
                       F f) {
  for (uint32_t i = first; i < end && count != 0; ++i) {
    const wire::Range place = record.place(i);
    if (position >= place.bytes) {
      position -= place.bytes;
      continue;
    }
    const uint32_t now = count < place.bytes - position ? count : place.bytes - position;
    if (!f(pointer_to(place.address + position), now)) return count;
    count -= now;
    position = 0;
  }
  return count;
}

bool Agent::scatter(const Model& model, uint32_t position, const uint8_t* bytes, uint32_t count) {
  return pieces(model.record, 0, model.record->inputs, position, count, [&](uint8_t* to, uint32_t now) {
           memcpy(to, bytes, now);
           bytes += now;
           return true;
         }) == 0;
}

// As much as one answer holds; the host asks for the rest.
void Agent::gather(const Model& model, uint32_t position, uint32_t count) {
  const Record& record = model.record;
  if (count > payload_bytes) count = payload_bytes;
  pieces(record, record->inputs, record.places(), position, count, [&](const uint8_t* from, uint32_t now) {
    if (answer_.part_count == Answer::most_parts) return false;
    answer_.add(from, now);
    return true;
  });
}

bool Agent::input(Request& request) {
  const auto* const asked = request.take<wire::Part>();
  if (asked == nullptr) return false;
  const Model* const model = this->model(asked->model);
  if (model != nullptr && !scatter(*model, asked->position, request.payload, request.bytes))
    answer_.status = Status::wrong_size;
  return true;
}

bool Agent::output(Request& request) {
  const auto* const asked = request.take<wire::Part>();
  const auto* const bytes = request.take<wire::Index>();
  if (asked == nullptr || bytes == nullptr) return false;  // of a short one the second may be there
  const Model* const model = this->model(asked->model);
  if (model != nullptr) gather(*model, asked->position, bytes->value);
  return true;
}

bool Agent::call(Request& request) {
  const auto* const asked = request.take<wire::CallHeader>();
  if (asked == nullptr) return false;
  Model* const model = this->model(asked->model);
  if (model == nullptr) return true;
  const Record& record = model->record;
  called_ = *asked;
  uint32_t total = 0;
  for (uint32_t i = 0; i < record->inputs; ++i) total += record.place(i).bytes;
  uint32_t position = total - request.bytes;
  if ((asked->flags & wire::frame) != 0) {
    const auto* const frame = request.take<wire::FrameOf>();
    if (frame == nullptr) return false;
    frame_ = *frame;
    position = frame_.input;
  }
  if (asked->entry > wire::Entry::start || record.entry(asked->entry) == 0) return false;
  if (request.bytes > total || !scatter(*model, position, request.payload, request.bytes)) {
    answer_.refuse(Status::wrong_size, total);
    return true;
  }
  const uint32_t deadline = asked->deadline_ms == 0 ? wire::default_deadline_ms : asked->deadline_ms;
  caller_.begin(*model, asked->entry, deadline, (asked->flags & wire::paint) != 0);
  return true;
}

// The answer of a call that is over; its status is set.
void Agent::end_call() {
  const Activity& activity = caller_.activity();
  if (answer_.status != Status::ok) {
    answer_.make<wire::StopOf>() = wire::StopOf{activity.fault.cause, activity.fault.pc, activity.fault.address,
                                                static_cast<uint32_t>(core_stack_pointer(activity))};
    return;
  }
  const Model* const model = models_.find(called_.model);
  if ((called_.flags & wire::no_output) != 0 || model == nullptr) return;
  if ((called_.flags & wire::frame) == 0)
    gather(*model, 0, payload_bytes);
  else
    gather(*model, frame_.output, frame_.output_bytes);
}

void Agent::profile() {
  const Profile& profile = caller_.profile();
  const uint64_t cycles = profile.counters.cycles, instructions = profile.counters.instructions;
  answer_.make<wire::ProfileOf>() =
      wire::ProfileOf{{static_cast<uint32_t>(cycles), static_cast<uint32_t>(cycles >> 32)},
                      {static_cast<uint32_t>(instructions), static_cast<uint32_t>(instructions >> 32)},
                      profile.stack_bytes,
                      profile.elapsed_ms,
                      profile.model};
}

}  // namespace agent
