// SPDX-License-Identifier: Apache-2.0
// What code that runs on a device may ask of the agent, in C and in C++: `#include "mote/services.h"`.
#ifndef MOTE_SERVICES_H
#define MOTE_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__riscv)

static inline uint32_t mote_service(uint32_t number, uintptr_t first, uintptr_t second) {
  register uint32_t a0 __asm__("a0") = number;
  register uintptr_t a1 __asm__("a1") = first;
  register uintptr_t a2 __asm__("a2") = second;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2) : "memory");
  return a0;
}

#elif defined(__arm__)

static inline uint32_t mote_service(uint32_t number, uintptr_t first, uintptr_t second) {
  register uint32_t r0 __asm__("r0") = number;
  register uintptr_t r1 __asm__("r1") = first;
  register uintptr_t r2 __asm__("r2") = second;
  __asm__ volatile("svc 0" : "+r"(r0) : "r"(r1), "r"(r2) : "memory");
  return r0;
}

#else

// A test on another machine defines it.
uint32_t mote_service(uint32_t number, uintptr_t first, uintptr_t second);

#endif

// Appends the text to the device's log, which the host can read at any time.
static inline void mote_log(const char* text) {
  size_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  mote_service(1, (uintptr_t)text, bytes);
}

// How far the call is: what the host sees while it runs.
static inline void mote_progress(uint32_t done, uint32_t of) { mote_service(2, done, of); }

#ifdef __cplusplus
}
#endif

#endif
