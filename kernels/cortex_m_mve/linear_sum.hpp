// SPDX-License-Identifier: Apache-2.0
// Linear sums of two tensors of bytes, four elements at a time: 10 instructions for four.
#pragma once

#include <stdint.h>

#include "nn/arithmetic.hpp"
#include "nn/assembly.hpp"

namespace nn {

struct LinearSumOfElements {
  const int8_t *a, *b;
  int8_t* out;
  int32_t count;
  const LinearSum* function;
};

MOTE_BARE void linear_sum_of_elements(const LinearSumOfElements&) {
  __asm__ volatile(
      MOTE_ARM_VECTOR_BEGIN
      "ldm r0, {r0, r1, r2, r3, r12}\n"
      "ldm r12, {r4, r5, r6, r7, r8, r9}\n"
      "rsb r7, r7, #0\n"
      "vdup.32 q2, r8\n"
      "vdup.32 q3, r9\n"
      "wlstp.32 lr, r3, 2f\n"
      "1:\n"
      "vldrb.s32 q0, [r0], #4\n"
      "vldrb.s32 q1, [r1], #4\n"
      "vmul.i32 q0, q0, r4\n"
      "vmla.s32 q0, q1, r5\n"
      "vadd.i32 q0, q0, r6\n"
      "vshl.s32 q0, r7\n"
      "vmax.s32 q0, q0, q2\n"
      "vmin.s32 q0, q0, q3\n"
      "vstrb.32 q0, [r2], #4\n"
      "letp lr, 1b\n"
      "2:\n" MOTE_ARM_VECTOR_END);
}

template <>
MOTE_KERNEL void map_2<LinearSum, int8_t, int8_t>(const Elements<LinearSum>& p, const int8_t* a, const int8_t* b,
                                                  int8_t* out) {
  linear_sum_of_elements({a, b, out, p.count, &p.function});
}

}  // namespace nn
