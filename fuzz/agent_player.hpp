// SPDX-License-Identifier: Apache-2.0
// Plays the steps of agent_script.hpp to an agent on a pretended core.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "agent_script.hpp"
#include "support/agent/pretended_device.hpp"

namespace mote::fuzz {

[[noreturn]] inline void broken(const char* what) {
  std::fprintf(stderr, "the agent: %s\n", what);
  std::abort();
}

class AgentPlayer {
 public:
  AgentPlayer(const uint8_t* bytes, size_t count, const uint8_t* owner = nullptr)
      : at_(bytes), end_(bytes + count), board_(pool_bytes, pool_address, owner) {}

  void play() {
    while (at_ != end_) step();
    settle(64);
  }

  // Whatever has happened, a new session begins; a call that is under way ends first.
  void expect_hello() {
    put(std::vector<uint8_t>(2));
    for (int tries = 0; tries < 4; ++tries) {
      session_ = static_cast<uint16_t>(session_ + 1000 + tries);
      const wire::Hello hello{wire::hello_magic, wire::protocol_version};
      board_.sent.clear();
      request(wire::Command::hello, 1, &hello, sizeof hello);
      settle(64);
      if (answered(wire::Command::hello, wire::Status::ok)) return;
    }
    broken("no answer to hello");
  }

  // look(command, status) for each answer so far; all are good frames.
  template <class Look>
  void each_answer(Look look) const {
    std::vector<uint8_t> frame(wire::overhead_bytes + agent::payload_bytes);
    wire::Unstuffer unstuffer(frame.data(), static_cast<uint32_t>(frame.size()));
    for (const uint8_t byte : board_.sent) {
      if (!unstuffer.add(byte)) continue;
      wire::Crc32 crc;
      const uint32_t size = unstuffer.size();
      if (size < wire::header_bytes + wire::crc_bytes) broken("a frame that is too short");
      crc.add(frame.data(), size - wire::crc_bytes);
      if (crc.value() != wire::get32(&frame[size - wire::crc_bytes])) broken("a frame with a wrong CRC");
      if ((frame[0] & wire::response_bit) == 0) broken("an answer that is none");
      look(static_cast<wire::Command>(frame[0] & ~wire::response_bit), static_cast<wire::Status>(frame[1]),
           wire::get16(&frame[2]));
    }
  }

 private:
  uint8_t byte() { return at_ == end_ ? uint8_t{0} : *at_++; }
  std::vector<uint8_t> bytes(size_t count) {
    count = std::min(count, static_cast<size_t>(end_ - at_));
    at_ += count;
    return {at_ - count, at_};
  }

  void step() {
    switch (static_cast<Step>(byte() % step_kinds)) {
      case Step::raw: put(bytes(byte())); break;
      case Step::request: {
        const uint8_t command = byte(), low = byte();
        const std::vector<uint8_t> payload = bytes(static_cast<size_t>(low | byte() << 8));
        const bool ordered = command >= wire::first_ordered;
        if (command == static_cast<uint8_t>(wire::Command::hello)) sequence_ = 0;
        request(static_cast<wire::Command>(command), ordered ? ++sequence_ : uint16_t{1}, payload.data(),
                payload.size());
        break;
      }
      case Step::again: {
        const uint8_t command = byte(), back = byte();
        const std::vector<uint8_t> payload = bytes(byte());
        request(static_cast<wire::Command>(command), static_cast<uint16_t>(sequence_ - back + 4), payload.data(),
                payload.size());
        break;
      }
      case Step::session: session_ = static_cast<uint16_t>(1 + byte()); break;
      case Step::settle: settle(byte()); break;
    }
    settle(1);
  }

  void put(const std::vector<uint8_t>& some) {
    board_.arrived.insert(board_.arrived.end(), some.begin(), some.end());
  }

  void request(wire::Command command, uint16_t sequence, const void* payload, size_t count) {
    std::vector<uint8_t> frame(wire::header_bytes + count + wire::crc_bytes);
    frame[0] = static_cast<uint8_t>(command);
    wire::put16(&frame[2], session_);
    wire::put16(&frame[4], sequence);
    if (count != 0) std::memcpy(&frame[wire::header_bytes], payload, count);
    wire::Crc32 crc;
    crc.add(frame.data(), frame.size() - wire::crc_bytes);
    wire::put32(&frame[frame.size() - wire::crc_bytes], crc.value());
    const auto sink = [&](const uint8_t* from, size_t size) { put({from, from + size}); };
    wire::Stuffer<decltype(sink)> stuffer(sink);
    stuffer.add(frame.data(), frame.size());
    stuffer.end();
  }

  void settle(int steps) {
    for (int i = 0; i < steps || !board_.arrived.empty(); ++i) {
      agent_->step();
      if (!board_.was_reset) continue;
      board_.was_reset = false;
      agent_ = std::make_unique<agent::Agent>(board_);
    }
  }

  bool answered(wire::Command command, wire::Status status) const {
    bool found = false;
    each_answer([&](wire::Command of, wire::Status with, uint16_t session) {
      found = found || (of == command && with == status && session == session_);
    });
    return found;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  uint16_t session_ = 1, sequence_ = 0;
  test::PretendedBoard board_;
  std::unique_ptr<agent::Agent> agent_ = std::make_unique<agent::Agent>(board_);
};

}  // namespace mote::fuzz
