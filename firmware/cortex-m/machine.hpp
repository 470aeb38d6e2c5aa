// SPDX-License-Identifier: Apache-2.0
// QEMU's MPS2 boards: console, exit, and instructions counted by the dual timer or the system counter.
//
// QEMU 7.2 has no DWT cycle counter. Its virtual clock advances by a fixed time with every instruction (-icount),
// more than two ticks of these timers, so a difference of ticks tells the number of instructions exactly.
#pragma once

#include <stdint.h>

// Dual timer: both count down, timer 1 every tick, timer 2 every 256 ticks, which tells how often timer 1 wrapped.
struct Sample {
  uint32_t fine, coarse;
};

inline volatile uint32_t* machine_register(uint32_t address) {
  return reinterpret_cast<volatile uint32_t*>(address);
}

inline void machine_write(const char* text, uint32_t bytes) {
  *machine_register(MOTE_UART + 0x10) = 16;  // baud rate divider: the fastest
  *machine_register(MOTE_UART + 0x08) = 1;   // transmit
  for (uint32_t i = 0; i < bytes; ++i) {
    while ((*machine_register(MOTE_UART + 0x04) & 1) != 0) {
    }
    *machine_register(MOTE_UART) = static_cast<uint8_t>(text[i]);
  }
}

// Semihosting's SYS_EXIT; any reason but "application exit" makes QEMU end with status 1.
[[noreturn]] inline void machine_exit(uint32_t code) {
  register uint32_t operation asm("r0") = 0x18;
  register uint32_t reason asm("r1") = code == 0 ? 0x20026 : 0x20023;
  asm volatile("bkpt 0xab" : : "r"(operation), "r"(reason) : "memory");
  for (;;) {
  }
}

#ifdef MOTE_SYSTEM_COUNTER  // the SSE-300 has a 64-bit counter instead: control frame, and its value behind it

inline void machine_start_counter() {
  *machine_register(MOTE_SYSTEM_COUNTER + 0x08) = 16;  // a low word below 5 has just wrapped: see machine_value
  *machine_register(MOTE_SYSTEM_COUNTER + 0x0c) = 0;
  *machine_register(MOTE_SYSTEM_COUNTER) = 1;  // enabled
}

inline __attribute__((always_inline)) Sample machine_sample() {
  Sample sample;
  sample.coarse = *machine_register(MOTE_SYSTEM_COUNTER + 0x1004);
  sample.fine = *machine_register(MOTE_SYSTEM_COUNTER + 0x1000);
  return sample;
}

// The high word is read one instruction, at most five ticks, before the low one.
inline uint64_t machine_value(const Sample& sample) {
  return static_cast<uint64_t>(sample.coarse + (sample.fine < 5 ? 1 : 0)) << 32 | sample.fine;
}

inline uint64_t machine_ticks(const Sample& from, const Sample& to, bool&) {
  return machine_value(to) - machine_value(from);
}

#else

inline void machine_start_counter() {
  *machine_register(MOTE_DUAL_TIMER) = 0xffffffffu;
  *machine_register(MOTE_DUAL_TIMER + 0x20) = 0xffffffffu;
  *machine_register(MOTE_DUAL_TIMER + 0x08) = 0x82;  // enabled, free running, 32 bit
  *machine_register(MOTE_DUAL_TIMER + 0x28) = 0x8a;  // and divided by 256
}

inline __attribute__((always_inline)) Sample machine_sample() {
  Sample sample;
  sample.fine = *machine_register(MOTE_DUAL_TIMER + 0x04);
  sample.coarse = *machine_register(MOTE_DUAL_TIMER + 0x24);
  return sample;
}

// Counter ticks between two readings; wrapped becomes true when they are known modulo 2^32 only.
inline uint64_t machine_ticks(const Sample& from, const Sample& to, bool&) {
  const uint32_t fine = from.fine - to.fine;
  const uint64_t about = static_cast<uint64_t>(from.coarse - to.coarse) << 8;
  return (((about - fine) + 0x80000000u) & ~uint64_t{0xffffffffu}) + fine;
}

#endif

inline const char* machine_cause(uint32_t cause) {
  if ((cause & (1u << 9 | 1u << 10)) != 0) return "data bus fault";
  if ((cause & (1u << 8)) != 0) return "instruction bus fault";
  if ((cause & (1u << 16)) != 0) return "undefined instruction";
  if ((cause & (1u << 17 | 1u << 18)) != 0) return "invalid state";
  if ((cause & (1u << 19)) != 0) return "no such coprocessor";
  if ((cause & (1u << 24)) != 0) return "unaligned access";
  if ((cause & (1u << 25)) != 0) return "division by zero";
  if ((cause & (1u << 12)) != 0) return "stack overflow";
  return "unexpected exception";
}
