// SPDX-License-Identifier: Apache-2.0
// The sum of two quantised tensors of 8 bits, four elements at a time: 27 instructions for four.
#pragma once

#include <stdint.h>

#include "nn/arithmetic.hpp"
#include "nn/assembly.hpp"

// x becomes its quotient by 2^-shift, halves away from zero; a shift of 0 leaves it: VRSHL rounds halves up and wants
// 1 less below zero, unless the shift is 0.
#define MOTE_DIVIDE(x, shift)        \
  "vand q2, " x ", " shift "\n"      \
  "vshr.s32 q2, q2, #31\n"           \
  "vadd.i32 " x ", " x ", q2\n"      \
  "vrshl.s32 " x ", " x ", " shift "\n"

namespace nn {

using Sum8 = OnCommonScale<20, Sum>;

struct SumOfElements {
  const int8_t *a, *b;
  int8_t* out;
  int32_t count;
  const Sum8* function;
};

MOTE_BARE void sum_on_common_scale(const SumOfElements&) {
  __asm__ volatile(
      MOTE_ARM_VECTOR_BEGIN
      "ldm r0, {r0, r1, r2, r3, r12}\n"
      "ldm r12!, {r4, r5, r6}\n"  // zero_a, multiplier_a, shift_a
      "vdup.32 q5, r6\n"
      "ldm r12!, {r6, r7, r8}\n"  // the same of b
      "vdup.32 q6, r8\n"
      "ldm r12, {r8, r9, r10, r11, r12}\n"  // zero, multiplier, shift, low, high
      "vdup.32 q7, r10\n"
      "vdup.32 q3, r11\n"
      "vdup.32 q4, r12\n"
      "wlstp.32 lr, r3, 2f\n"
      "1:\n"
      "vldrb.s32 q0, [r0], #4\n"
      "vldrb.s32 q1, [r1], #4\n"
      "vsub.i32 q0, q0, r4\n"
      "vsub.i32 q1, q1, r6\n"
      "vshl.i32 q0, q0, #20\n"
      "vshl.i32 q1, q1, #20\n"
      "vqrdmulh.s32 q0, q0, r5\n"
      "vqrdmulh.s32 q1, q1, r7\n"
      MOTE_DIVIDE("q0", "q5")
      MOTE_DIVIDE("q1", "q6")
      "vadd.i32 q0, q0, q1\n"
      "vqrdmulh.s32 q0, q0, r9\n"
      MOTE_DIVIDE("q0", "q7")
      "vadd.i32 q0, q0, r8\n"
      "vmax.s32 q0, q0, q3\n"
      "vmin.s32 q0, q0, q4\n"
      "vstrb.32 q0, [r2], #4\n"
      "letp lr, 1b\n"
      "2:\n" MOTE_ARM_VECTOR_END);
}

template <>
MOTE_KERNEL void map_2<Sum8, int8_t, int8_t>(const Elements<Sum8>& p, const int8_t* a, const int8_t* b,
                                             int8_t* out) {
  if (p.function.shift <= 0) {
    sum_on_common_scale({a, b, out, p.count, &p.function});
    return;
  }
  for (int32_t i = 0; i < p.count; ++i) out[i] = static_cast<int8_t>(p.function(a[i], b[i]));
}

}  // namespace nn

#undef MOTE_DIVIDE
