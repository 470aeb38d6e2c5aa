// SPDX-License-Identifier: Apache-2.0
// Products of four pixels with four channels on RV32IM: 2.6 instructions per multiply-accumulate.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

// Compilers keep some of the sixteen sums in memory or reorder loads until they must; the registers are named here
// (s0 stays free: it may be the frame pointer). In one row the value at `next` is loaded while the row's last
// products are still on their way.
#define MOTE_ROW(a, b, c, d, next) \
  "mul t1, t0, t3\n"               \
  "mul %[t], t0, t4\n"             \
  "add " a ", " a ", t1\n"         \
  "mul t1, t0, t5\n"               \
  "add " b ", " b ", %[t]\n"       \
  "mul %[t], t0, t6\n"             \
  "add " c ", " c ", t1\n" next    \
  "add " d ", " d ", %[t]\n"
#define MOTE_LOAD(offset) "lb t0, " offset "(%[values])\n"
#define MOTE_STEP(x0, x1, x2, x3)                     \
  MOTE_LOAD(x0)                                       \
  "lb t3, " x0 "(%[weights])\n"                       \
  "lb t4, " x1 "(%[weights])\n"                       \
  "lb t5, " x2 "(%[weights])\n"                       \
  "lb t6, " x3 "(%[weights])\n"                       \
  MOTE_ROW("a6", "s1", "s2", "s3", MOTE_LOAD(x1))     \
  MOTE_ROW("s4", "s5", "s6", "s7", MOTE_LOAD(x2))     \
  MOTE_ROW("s8", "s9", "s10", "s11", MOTE_LOAD(x3))   \
  MOTE_ROW("a2", "a3", "a4", "a5", "")

namespace nn {

// As in nn/multiply_4x4.hpp.
MOTE_KERNEL void multiply_4x4(const int8_t* values, const int8_t* end, const int8_t* weights,
                              const int32_t* scales, int32_t* sums) {
  const int32_t* t = scales;
  __asm__ volatile(
      "lw a6, 0(%[t])\n"
      "lw s1, 8(%[t])\n"
      "lw s2, 16(%[t])\n"
      "lw s3, 24(%[t])\n"
      "mv s4, a6\n mv s8, a6\n mv a2, a6\n"
      "mv s5, s1\n mv s9, s1\n mv a3, s1\n"
      "mv s6, s2\n mv s10, s2\n mv a4, s2\n"
      "mv s7, s3\n mv s11, s3\n mv a5, s3\n"
      "1:\n" MOTE_STEP("0", "1", "2", "3") MOTE_STEP("4", "5", "6", "7")
      "addi %[values], %[values], 8\n"
      "addi %[weights], %[weights], 8\n"
      "bltu %[values], %[end], 1b\n"
      "lw t0, %[sums]\n"
      "sw a6, 0(t0)\n sw s4, 4(t0)\n sw s8, 8(t0)\n sw a2, 12(t0)\n"
      "sw s1, 16(t0)\n sw s5, 20(t0)\n sw s9, 24(t0)\n sw a3, 28(t0)\n"
      "sw s2, 32(t0)\n sw s6, 36(t0)\n sw s10, 40(t0)\n sw a4, 44(t0)\n"
      "sw s3, 48(t0)\n sw s7, 52(t0)\n sw s11, 56(t0)\n sw a5, 60(t0)\n"
      : [values] "+&r"(values), [weights] "+&r"(weights), [t] "+&r"(t)
      : [end] "r"(end), [sums] "m"(sums)
      : "memory", "t0", "t1", "t3", "t4", "t5", "t6", "a6", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
        "s10", "s11", "a2", "a3", "a4", "a5");
}

}  // namespace nn

#undef MOTE_STEP
#undef MOTE_LOAD
#undef MOTE_ROW
