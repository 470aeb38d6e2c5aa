// SPDX-License-Identifier: Apache-2.0
// Kernels in assembly: one instance for the whole program, also where nothing is optimised.
#pragma once

// For a kernel that needs every register: the compiler adds nothing, its text begins and ends the function.
// Compilers must not look inside, nor change what is passed.
#if defined(__clang__)
#define MOTE_BARE static __attribute__((naked, noinline, unused))
#else
#define MOTE_BARE static __attribute__((naked, noipa, unused))
#endif

// Arm: [sp] is the first argument, [sp, #4] what r1 was. All registers but sp and pc are free between the two.
#define MOTE_ARM_BEGIN "push {r0, r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"
#define MOTE_ARM_END "pop {r0, r1, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"
// The same with all vector registers free.
#define MOTE_ARM_VECTOR_BEGIN "vpush {d8, d9, d10, d11, d12, d13, d14, d15}\n" MOTE_ARM_BEGIN
#define MOTE_ARM_VECTOR_END                              \
  "pop {r0, r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n" \
  "vpop {d8, d9, d10, d11, d12, d13, d14, d15}\n"        \
  "bx lr\n"

// GCC names the registers that hold the arguments; no frame pointer may take one.
#define MOTE_ASSEMBLY static __attribute__((noinline, unused, optimize("omit-frame-pointer")))
