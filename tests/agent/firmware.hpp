// SPDX-License-Identifier: Apache-2.0
// In the place of agent/boards/firmware.hpp: a board that checks its core instead of serving an agent.
#pragma once

#include "board.hpp"
#include "core.hpp"

extern "C" {
extern uint8_t agent_pool_begin[], agent_pool_end[];
}

inline void* operator new(size_t, void* place) noexcept { return place; }

void check_core(agent::Board& board);

namespace agent {

inline Identity firmware_identity(const char*, uint32_t counter_hz) {
  return Identity{{}, {}, {}, counter_hz, nullptr};
}

template <class BoardType>
[[noreturn]] void serve() {
  alignas(8) static uint8_t memory[sizeof(BoardType)];
  core_start();
  check_core(*new (memory) BoardType());
  for (;;) {
  }
}

}  // namespace agent

extern "C" inline void __cxa_pure_virtual() {}
