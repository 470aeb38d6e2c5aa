// SPDX-License-Identifier: Apache-2.0
// RV32 on QEMU virt: console, exit and the counter of retired instructions.
#pragma once

#include <stdint.h>

// One reading of minstret: high, low, high again, because the low word may wrap between two readings.
struct Sample {
  uint32_t words[3];
};

inline void machine_write(const char* text, uint32_t bytes) {
  volatile uint8_t* const uart = reinterpret_cast<volatile uint8_t*>(0x10000000);
  for (uint32_t i = 0; i < bytes; ++i) *uart = static_cast<uint8_t>(text[i]);
}

[[noreturn]] inline void machine_exit(uint32_t code) {
  volatile uint32_t* const finisher = reinterpret_cast<volatile uint32_t*>(0x100000);
  *finisher = code == 0 ? 0x5555 : (code << 16) | 0x3333;
  for (;;) {
  }
}

inline void machine_start_counter() {}

inline __attribute__((always_inline)) Sample machine_sample() {
  Sample sample;
  asm volatile("rdinstreth %0\n\trdinstret %1\n\trdinstreth %2"
               : "=&r"(sample.words[0]), "=&r"(sample.words[1]), "=&r"(sample.words[2]));
  return sample;
}

inline uint64_t machine_count(const Sample& sample) {
  const uint32_t high = sample.words[1] < 0x80000000u ? sample.words[2] : sample.words[0];
  return (static_cast<uint64_t>(high) << 32) | sample.words[1];
}

// Counter ticks between two readings; wrapped becomes true when they are known modulo 2^32 only.
inline uint64_t machine_ticks(const Sample& from, const Sample& to, bool&) {
  return machine_count(to) - machine_count(from);
}

// Two cores: the second one calls mote_second_core; what was written before, it finds.
inline void machine_release_second_core() {
  asm volatile("fence" ::: "memory");
  *reinterpret_cast<volatile uint32_t*>(0x2000004) = 1;
}

// What mote_switch keeps of a coroutine, in its order: registers that a call preserves.
struct Context {
  uintptr_t return_address, stack_pointer;
  uint32_t saved[12 + 12];
};

inline const char* machine_cause(uint32_t cause) {
  switch (cause) {
    case 0: return "instruction address misaligned";
    case 1: return "instruction access fault";
    case 2: return "illegal instruction";
    case 3: return "breakpoint";
    case 4: return "load address misaligned";
    case 5: return "load access fault";
    case 6: return "store address misaligned";
    case 7: return "store access fault";
    default: return "unexpected trap";
  }
}
