// SPDX-License-Identifier: Apache-2.0
// Parts of a board that are alike on most Cortex-M: slices by SysTick, instructions that were written as data,
// reset. ARMv8-M and ARMv7-M.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
extern uint32_t agent_core_slice_is_over, agent_core_systick_owner;
void agent_core_fault();
void agent_core_service();
void agent_core_shared_systick();
}

namespace agent {

inline volatile uint32_t* system_register(uint32_t address) {
  return reinterpret_cast<volatile uint32_t*>(address);
}

// Board::interrupt_after() by SysTick at the core's clock; vector 15 is agent_core_systick. A slice that the
// counter's 24 bits cannot hold ends earlier.
inline void systick_after(uint32_t microseconds, uint32_t core_hz) {
  volatile uint32_t* const systick = system_register(0xE000E010);  // control, reload, value
  const uint32_t per_microsecond = core_hz / 1000000, most = 0xFFFFFF;
  systick[0] = 0;
  *system_register(0xE000ED04) = 1u << 25;  // ICSR: what is pending belongs to an earlier slice
  if (microseconds == 0) return;
  systick[1] = microseconds < most / per_microsecond ? microseconds * per_microsecond : most;
  systick[2] = 0;
  systick[0] = 7;  // core clock, interrupt, enabled
}

// For a system that has vectors of its own, but no other use of `svc`, the process stack and the memory protection
// unit: copies the vectors to `table` (aligned to the next power of two of its bytes, at least 128) and takes
// those of faults and of `svc`. SysTick's owner is still called. Before core_start().
inline void take_vectors(uint32_t* table, uint32_t count) {
  volatile uint32_t& place = *system_register(0xE000ED08);  // VTOR
  const volatile uint32_t* const from = system_register(place);
  const auto address = [](void (*handler)()) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(handler));
  };
  for (uint32_t i = 0; i < count; ++i) table[i] = from[i];
  agent_core_systick_owner = table[15];
  table[3] = address(agent_core_fault);
  table[11] = address(agent_core_service);
  table[15] = address(agent_core_shared_systick);
  asm volatile("dsb" : : : "memory");
  place = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(table));
  asm volatile("dsb\n\tisb" : : : "memory");
}

// Board::interrupt_after() there: a slice ends with the owner's next tick.
inline void slice_until_next_tick() { agent_core_slice_is_over = 0; }

// Board::sync_code(): cleans the data cache and invalidates the instruction cache, where there are some.
inline void sync_caches(const void* begin, size_t bytes) {
  constexpr uint32_t line = 32, data_to_unification = 0xE000EF64, instructions_to_unification = 0xE000EF58;
  const uint32_t from = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(begin)) & ~(line - 1);
  const uint32_t end = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(begin) + bytes);
  const uint32_t operations[] = {data_to_unification, instructions_to_unification};
  for (const uint32_t operation : operations) {
    asm volatile("dsb" : : : "memory");
    for (uint32_t at = from; at < end; at += line) *system_register(operation) = at;
  }
  asm volatile("dsb\n\tisb" : : : "memory");
}

// Board::reset().
[[noreturn]] inline void system_reset() {
  asm volatile("dsb" : : : "memory");
  *system_register(0xE000ED0C) = 0x05FA0004;  // AIRCR
  for (;;) {
  }
}

}  // namespace agent
