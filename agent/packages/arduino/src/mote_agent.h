// SPDX-License-Identifier: Apache-2.0
// Mote's agent on an Arduino core without an operating system: a port, a pool, begin() in setup() and step() in
// loop().
#pragma once

#include <Arduino.h>
#include <string.h>

#include "agent.hpp"
#include "board_parts.hpp"

#ifndef MOTE_AGENT_VECTORS
#define MOTE_AGENT_VECTORS 256  // at least as many as the core has
#endif

namespace mote {

class SerialAgent final : public agent::Board {
 public:
  // `target` is Mote's name of the core ("cortex-m4f"); the pool begins at a multiple of 64, on ARMv7-M better of
  // a 64th of its size.
  SerialAgent(Stream& port, const char* target, const char* board, uint8_t* pool, uint32_t pool_bytes)
      : port_(port), pool_{"sram", pool, pool_bytes, 1} {
    strncpy(identity_.target, target, sizeof identity_.target - 1);
    strncpy(identity_.board, board, sizeof identity_.board - 1);
  }
  void begin() {
    alignas(MOTE_AGENT_VECTORS * 4) static uint32_t vectors[MOTE_AGENT_VECTORS];
    agent::take_vectors(vectors, MOTE_AGENT_VECTORS);
    agent::core_start();
  }
  void step() { agent_.step(); }

  const agent::Identity& identity() const override { return identity_; }
  size_t read(uint8_t* to, size_t limit) override {
    size_t count = 0;
    while (count < limit && port_.available() > 0) to[count++] = static_cast<uint8_t>(port_.read());
    return count;
  }
  void write(const uint8_t* from, size_t bytes) override { port_.write(from, bytes); }
  uint32_t receive_buffer_bytes() const override { return 64; }  // the smallest that cores have
  const agent::Region* regions(uint32_t& count) const override {
    count = 1;
    return &pool_;
  }
  void sync_code(const void* begin, size_t bytes) override { agent::sync_caches(begin, bytes); }
  uint32_t milliseconds() const override { return millis(); }
  agent::Counters counters() const override {
    const uint32_t now = micros();
    passed_ += now - last_;
    last_ = now;
    return {passed_, 0};
  }
  void interrupt_after(uint32_t) override { agent::slice_until_next_tick(); }
  void random(uint8_t*, size_t) override {}  // only keyed agents ask
  void reset() override { agent::system_reset(); }

 private:
  Stream& port_;
  agent::Identity identity_{{}, {}, {}, 1000000, nullptr};
  agent::Region pool_;
  mutable uint64_t passed_ = 0;
  mutable uint32_t last_ = 0;
  agent::Agent agent_{*this};
};

}  // namespace mote
