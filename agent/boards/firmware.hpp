// SPDX-License-Identifier: Apache-2.0
// A firmware that is nothing but the agent: what those of the emulated boards have in common.
#pragma once

#include "agent.hpp"

// What the link script and the build of the firmware define.
extern "C" {
extern uint8_t agent_pool_begin[], agent_pool_end[];  // memory for loaded code
extern const uint8_t agent_build_id[];                // 20 bytes
}

extern const uint8_t* const agent_owner_key;  // nullptr: anybody may load

inline void* operator new(size_t, void* place) noexcept { return place; }

namespace agent {

inline Identity firmware_identity(const char* board, uint32_t counter_hz) {
  Identity identity{MOTE_AGENT_TARGET, {}, {}, counter_hz, agent_owner_key};
  for (size_t i = 0; i + 1 < sizeof identity.board && board[i] != 0; ++i) identity.board[i] = board[i];
  for (size_t i = 0; i < sizeof identity.firmware_id; ++i) identity.firmware_id[i] = agent_build_id[i];
  return identity;
}

// Without constructors that somebody would have to call before main.
template <class BoardType>
[[noreturn]] void serve() {
  alignas(8) static uint8_t board_memory[sizeof(BoardType)], agent_memory[sizeof(Agent)];
  core_start();
  BoardType* const board = new (board_memory) BoardType();
  Agent* const agent = new (agent_memory) Agent(*board);
  for (;;) agent->step();
}

}  // namespace agent

// The linker asks for it; it is never called, because every function is overridden.
extern "C" inline void __cxa_pure_virtual() {}
