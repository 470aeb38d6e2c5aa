// SPDX-License-Identifier: Apache-2.0
#include "guard.hpp"

namespace agent {

using wire::Command;

const uint8_t* Guard::challenge() {
  if (!challenge_.waits) {
    uint8_t random[key_bytes];
    board_.random(random, sizeof random);
    renew(challenge_, random);
  }
  return challenge_.key;
}

// Lost answers are asked for again: the same host key in the same session is no second try.
Guard::Outcome Guard::authenticate(Request& request) {
  const auto* const answer = request.take<wire::Authenticate>();
  if (answer == nullptr || request.bytes != 0 || request.session == 0) return Outcome::refused;
  const bool repeated = keys_.live && request.session == session_ && keys_.opened_by(answer->host_key);
  const Identity& identity = board_.identity();
  if (!repeated) {
    if (!accept(keys_, challenge_, identity.key, identity.firmware_id, request.session, answer->host_key,
                answer->signature))
      return Outcome::refused;
    session_ = request.session;
    ordered_ = loose_ = 0;
  }
  request.tagged = true;
  request.number = request.sequence;
  return repeated ? Outcome::repeated : Outcome::begins;
}

bool Guard::admit(Request& request, const uint8_t* frame) {
  request.tagged = false;
  request.number = 0;
  const bool opens = request.command == Command::hello || request.command == Command::authenticate;
  if (!keyed() || opens || !keys_.live || request.session != session_) return true;
  if (request.bytes < wire::tag_bytes) return false;
  request.bytes -= wire::tag_bytes;
  const uint8_t* const end = request.payload + request.bytes;
  const bool ordered = static_cast<uint8_t>(request.command) >= wire::first_ordered;
  request.number =
      ordered ? wire::ordered_number(ordered_, request.sequence) : wire::larger_number(loose_, request.sequence);
  Tag tag;
  tag.begin(keys_.to_device, request.number);
  tag.add(frame, static_cast<size_t>(end - frame));
  if (!tag.matches(end)) return false;
  uint32_t& largest = ordered ? ordered_ : loose_;
  if (static_cast<int32_t>(request.number - largest) > 0) largest = request.number;
  request.tagged = true;
  return true;
}

}  // namespace agent
