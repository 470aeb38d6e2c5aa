// SPDX-License-Identifier: Apache-2.0
// Sessions and the order of requests: each is carried out once, whatever the link does to the frames.
#include "agent.hpp"

#include <stddef.h>
#include <string.h>

namespace agent {

using wire::Command;
using wire::Status;

Agent::Agent(Board& board)
    : board_(board),
      guard_(board),
      link_(board, guard_, frame_memory_),
      caller_(board),
      pool_(board),
      models_(pool_) {}

void Agent::step() {
  if (guard_.helpless()) return;
  Request request;
  while (link_.receive(request)) take(request);
  if (!caller_.under_way()) return board_.wait();
  const Model& model = *caller_.model();
  const Status outcome = caller_.advance();
  if (outcome == Status::running) return;
  answer_.clear(outcome);
  end_call(model);
  conclude();
}

void Agent::conclude() {
  past_[last_.sequence % wire::remembered] = answer_.status;
  link_.send(last_, answer_);
}

// answer_ is kept for the ordered request that it answers; other answers are made aside.
void Agent::take(Request& request) {
  Answer answer;
  answer.clear(Status::ok);
  if (request.command == Command::hello) {
    if (!hello(request, answer)) return;
  } else if (request.command == Command::authenticate) {
    authenticate(request, answer);
  } else if (!open_ || request.session != session_) {
    answer.status = Status::no_session;
  } else if (static_cast<uint8_t>(request.command) >= wire::first_ordered) {
    if (!turn(request, answer)) return;
  } else if (request.command == Command::status) {
    put_activity(answer);
  } else if (request.command == Command::cancel) {
    caller_.cancel();
  } else if (request.command == Command::log) {
    log(request, answer);
  } else {
    answer.status = Status::unknown_command;
  }
  link_.send(request, answer);
}

// An ordered request. True: the answer is to be sent; otherwise it has been, or comes when the call is over.
bool Agent::turn(Request& request, Answer& answer) {
  const auto ahead = static_cast<int16_t>(request.sequence - expected_);
  if (ahead < 0) return repeat(request, static_cast<uint16_t>(-ahead), answer);
  if (ahead > 0) {
    answer.refuse(Status::out_of_order, expected_);
    return true;
  }
  if (caller_.under_way()) {
    answer.status = Status::busy;  // the number stays free
    return true;
  }
  last_ = request;
  ++expected_;
  answer_.clear(Status::ok);
  execute(request);
  if (!caller_.under_way()) conclude();
  return false;
}

// The last answer is still here. Of older ones the status is, and those that only look are carried out again.
bool Agent::repeat(Request& request, uint16_t age, Answer& answer) {
  if (age > wire::remembered || (age == 1 && request.command != last_.command)) return false;
  if (age == 1 && !caller_.under_way()) {
    link_.send(request, answer_);
    return false;
  }
  answer.status = past_[request.sequence % wire::remembered];
  if (age == 1) {
    answer.status = Status::running;
    put_activity(answer);
  } else if (request.command == Command::read && answer.status == Status::ok && !caller_.under_way()) {
    const auto* const asked = request.take<wire::Range>();
    if (asked != nullptr) read(&asked->address, answer);
  }
  return true;
}

void Agent::begin_session(uint16_t session) {
  if (open_) end_session();
  open_ = true;
  session_ = session;
  expected_ = 1;
}

void Agent::end_session() {
  models_.end_session();
  pool_.end_session();
  earlier_[ended_++ % wire::remembered_sessions] = session_;
}

void Agent::log(Request& request, Answer& answer) const {
  const Log& log = caller_.log();
  const auto* const asked = request.take<wire::LogFrom>();
  uint32_t position = asked == nullptr ? 0 : asked->position, count = 0;
  if (position - log.begin() > log.end() - log.begin()) position = log.begin();
  const uint8_t* const bytes = log.from(position, count);
  answer.put(position);
  answer.add(bytes, count);
}

// False: no answer. A late copy of an earlier hello is not answered: it would end the session that came after it.
bool Agent::hello(Request& request, Answer& answer) {
  const auto* const asked = request.take<wire::Hello>();
  if (asked == nullptr || asked->magic != wire::hello_magic || request.session == 0) return false;
  if (asked->version != wire::protocol_version) {
    answer.refuse(Status::wrong_version, wire::protocol_version);
    return true;
  }
  if (guard_.keyed()) {  // anybody may say it: nothing changes
    welcome(answer);
    memcpy(answer.make<wire::Challenge>().key, guard_.challenge(), sizeof(wire::Challenge));
    return true;
  }
  for (const uint16_t session : earlier_)
    if (session == request.session) return false;
  if (!open_ || session_ != request.session) {
    if (caller_.under_way()) {  // whoever called has gone; what he staged must wait for the end of his call
      caller_.cancel();
      answer.status = Status::busy;
      return true;
    }
    begin_session(request.session);
  }
  welcome(answer);
  return true;
}

// The owner's new session takes the place of the one before, and of its call.
void Agent::authenticate(Request& request, Answer& answer) {
  answer.status = Status::unknown_command;
  if (!guard_.keyed()) return;
  const Guard::Outcome outcome = guard_.authenticate(request);
  answer.status = outcome == Guard::Outcome::refused ? Status::bad_signature : Status::ok;
  if (outcome != Guard::Outcome::begins) return;
  caller_.cancel();
  if (caller_.under_way()) caller_.advance();
  begin_session(request.session);
}

void Agent::welcome(Answer& answer) {
  const Identity& identity = board_.identity();
  auto& welcome = answer.make<wire::Welcome>();
  welcome.version = wire::protocol_version;
  welcome.payload_bytes = payload_bytes;
  welcome.window = link_.window();
  welcome.flags =
      static_cast<uint8_t>((guard_.keyed() ? wire::keyed : 0) | (core_protects() ? wire::protects : 0) |
                           (caller_.under_way() ? wire::call_under_way : 0));
  welcome.regions = static_cast<uint8_t>(pool_.regions());
  welcome.models = static_cast<uint8_t>(models_.count());
  welcome.counter_hz = identity.counter_hz;
  constexpr size_t names = offsetof(wire::Welcome, target);  // target, board and firmware_id are the same in both
  static_assert(offsetof(Identity, counter_hz) == sizeof(wire::Welcome) - names, "they lie alike");
  memcpy(reinterpret_cast<uint8_t*>(&welcome) + names, &identity, sizeof welcome - names);
  for (uint32_t i = 0; i < pool_.regions(); ++i) {
    const Region& region = pool_.region(i);
    auto& of = answer.make<wire::RegionOf>();
    memcpy(of.name, region.name, sizeof of.name);
    of.begin = address_of(region.begin);
    of.bytes = region.bytes;
    of.executable = region.executable;
  }
}

void Agent::put_activity(Answer& answer) const {
  auto& activity = answer.make<wire::ActivityOf>();
  activity = wire::ActivityOf{0, 0, 0, 0, caller_.log().end()};
  if (caller_.under_way())
    activity =
        wire::ActivityOf{caller_.model()->id, caller_.elapsed_ms(), caller_.done(), caller_.of(), activity.log};
}

}  // namespace agent
