// SPDX-License-Identifier: Apache-2.0
// Sessions and the order of requests: each is carried out once, whatever the link does to the frames.
#include "agent.hpp"

#include <string.h>

namespace agent {

using wire::Command;
using wire::Status;

void Agent::step() {
  if (guard_.helpless()) return;
  Request request;
  while (link_.receive(request)) take(request);
  if (!caller_.under_way()) return board_.wait();
  Status outcome;
  if (!caller_.advance(outcome)) return;
  answer_.clear(outcome);
  end_call();
  past_[last_.sequence % wire::remembered] = outcome;
  link_.send(last_, answer_);
}

void Agent::take(const Request& request) {
  if (request.command == Command::authenticate) return authenticate(request);
  if (static_cast<uint8_t>(request.command) < wire::first_ordered) return unordered(request);
  Answer answer;
  answer.clear(Status::ok);
  const auto ahead = static_cast<int16_t>(request.sequence - expected_);
  if (!open_ || request.session != session_) {
    answer.status = Status::no_session;
  } else if (ahead < 0) {
    return repeat(request, static_cast<uint16_t>(-ahead));
  } else if (ahead > 0) {
    answer.status = Status::out_of_order;
    answer.put(expected_);
  } else if (caller_.under_way()) {
    answer.status = Status::busy;  // the number stays free
  } else {
    last_ = request;
    ++expected_;
    answer_.clear(Status::ok);
    if (!execute(request)) answer_.clear(Status::malformed);
    past_[request.sequence % wire::remembered] = answer_.status;
    if (!caller_.under_way()) link_.send(request, answer_);
    return;
  }
  link_.send(request, answer);
}

// The last answer is still here. Of older ones the status is, and those that only look are carried out again.
void Agent::repeat(const Request& request, uint16_t age) {
  if (age > wire::remembered || (age == 1 && request.command != last_.command)) return;
  if (age == 1 && !caller_.under_way()) return link_.send(request, answer_);
  Answer answer;
  answer.clear(past_[request.sequence % wire::remembered]);
  if (age == 1) {
    answer.status = Status::running;
    put_activity(answer);
  } else if (request.command == Command::read && answer.status == Status::ok && !caller_.under_way()) {
    const Answer kept = answer_;
    Request again = request;
    read(again);
    link_.send(request, answer_);
    answer_ = kept;
    return;
  }
  link_.send(request, answer);
}

void Agent::unordered(const Request& request) {
  Answer answer;
  answer.clear(Status::ok);
  if (request.command == Command::hello) {
    hello(request, answer);
    if (answer.status == Status::malformed) return;
  } else if (!open_ || request.session != session_) {
    answer.status = Status::no_session;
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

void Agent::begin_session(uint16_t session) {
  if (open_) end_session();
  open_ = true;
  session_ = session;
  expected_ = 1;
}

void Agent::end_session() {
  models_.end_session();
  pool_.end_session();
  for (uint32_t i = wire::remembered_sessions - 1; i > 0; --i) earlier_[i] = earlier_[i - 1];
  earlier_[0] = session_;
}

void Agent::log(Request request, Answer& answer) const {
  const Log& log = caller_.log();
  const auto* const asked = request.take<wire::LogFrom>();
  uint32_t position = asked == nullptr ? 0 : asked->position, count = 0;
  if (position - log.begin() > log.end() - log.begin()) position = log.begin();
  const uint8_t* const bytes = log.from(position, count);
  answer.put(position);
  answer.add(bytes, count);
}

// A late copy of an earlier hello is not answered: it would end the session that came after it.
void Agent::hello(Request request, Answer& answer) {
  const auto* const asked = request.take<wire::Hello>();
  answer.status = Status::malformed;
  if (asked == nullptr || asked->magic != wire::hello_magic || request.session == 0) return;
  if (asked->version != wire::protocol_version)
    return answer.refuse(Status::wrong_version, wire::protocol_version);
  if (guard_.keyed()) {  // anybody may say it: nothing changes
    answer.status = Status::ok;
    welcome(answer);
    memcpy(answer.make<wire::Challenge>().key, guard_.challenge(), sizeof(wire::Challenge));
    return;
  }
  for (const uint16_t session : earlier_)
    if (session == request.session) return;
  if (!open_ || session_ != request.session) {
    if (caller_.under_way()) {  // whoever called has gone; what he staged must wait for the end of his call
      caller_.cancel();
      answer.status = Status::busy;
      return;
    }
    begin_session(request.session);
  }
  answer.status = Status::ok;
  welcome(answer);
}

// The owner's new session takes the place of the one before, and of its call.
void Agent::authenticate(Request request) {
  Answer answer;
  answer.clear(Status::unknown_command);
  if (!guard_.keyed()) return link_.send(request, answer);
  answer.clear(Status::ok);
  const Guard::Outcome outcome = guard_.authenticate(request);
  if (outcome == Guard::Outcome::refused) answer.status = Status::bad_signature;
  if (outcome == Guard::Outcome::begins) {
    Status cancelled;
    caller_.cancel();
    if (caller_.under_way()) caller_.advance(cancelled);
    begin_session(request.session);
  }
  link_.send(request, answer);
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
  memcpy(welcome.target, identity.target, sizeof welcome.target);
  memcpy(welcome.board, identity.board, sizeof welcome.board);
  memcpy(welcome.firmware_id, identity.firmware_id, sizeof welcome.firmware_id);
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
  activity = wire::ActivityOf{0, 0, caller_.done(), caller_.of(), caller_.log().end()};
  if (!caller_.under_way()) return;
  activity.model = caller_.model()->id;
  activity.elapsed_ms = caller_.elapsed_ms();
}

}  // namespace agent
