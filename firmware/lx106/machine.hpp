// SPDX-License-Identifier: Apache-2.0
// Xtensa lx106 on QEMU's sim machine: console, exit, and instructions counted by CCOUNT.
//
// CCOUNT runs at 40 MHz of QEMU's virtual clock, which advances by a fixed time with every instruction (-icount),
// more than two ticks, so a difference of ticks tells the number of instructions exactly.
#pragma once

#include <stdint.h>

struct Sample {
  uint32_t ticks, interrupts;
};

// The sim machine's semihosting: number of the call in a2, arguments behind it.
inline void machine_call(uint32_t number, uint32_t first, uint32_t second, uint32_t third) {
  register uint32_t a2 asm("a2") = number;
  register uint32_t a3 asm("a3") = first;
  register uint32_t a4 asm("a4") = second;
  register uint32_t a5 asm("a5") = third;
  asm volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
}

inline void machine_write(const char* text, uint32_t bytes) {
  machine_call(4, 1, reinterpret_cast<uintptr_t>(text), bytes);  // write, standard output
}

[[noreturn]] inline void machine_exit(uint32_t code) {
  machine_call(1, code, 0, 0);
  for (;;) {
  }
}

inline void machine_start_counter() {}

inline __attribute__((always_inline)) Sample machine_sample() {
  Sample sample;
  asm volatile("rsr %0, ccount\n\trsr %1, interrupt" : "=&r"(sample.ticks), "=&r"(sample.interrupts));
  return sample;
}

// Counter ticks between two readings; wrapped becomes true when they are known modulo 2^32 only.
inline uint64_t machine_ticks(const Sample& from, const Sample& to, bool& wrapped) {
  constexpr uint32_t timer0 = 1u << 6;
  if ((to.interrupts & timer0) != 0) wrapped = true;
  return to.ticks - from.ticks;
}

inline const char* machine_cause(uint32_t cause) {
  switch (cause) {
    case 0: return "illegal instruction";
    case 2: return "instruction fetch error";
    case 3: return "load or store error";
    case 6: return "division by zero";
    case 9: return "unaligned access";
    case 12:
    case 14: return "instruction access fault";
    case 13:
    case 15: return "load or store access fault";
    case 20:
    case 28:
    case 29: return "access not permitted";
    default: return "unexpected exception";
  }
}
