// SPDX-License-Identifier: Apache-2.0
// One output pixel of a depthwise convolution in Arm's M-profile vector instructions: 24 instructions for two taps of
// sixteen channels.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// There is no vector times vector that adds to 32 bits. Products of bytes fit 16 bits, and so do two of them as long
// as no weight is -128: 2 * 128 * 127 < 2^15. Two taps are added there, and only then widened. Four sums of four
// channels (q4 to q7) leave four registers, one less than both taps' products want: the second tap's weights are
// loaded twice.

#define MOTE_WIDEN_ADD(half, even, odd)   \
  "vmovlb.s16 q1, " half "\n"             \
  "vadd.i32 " even ", " even ", q1\n"     \
  "vmovlt.s16 " half ", " half "\n"       \
  "vadd.i32 " odd ", " odd ", " half "\n"
// Bounds and derivation as in multiply_vector.hpp. r5 stands behind the multipliers.
#define MOTE_WINDOW_REQUANTIZE(q, multipliers, shifts) \
  "vldrw.u32 q0, [r5, #" multipliers "]\n"             \
  "vqrdmulh.s32 " q ", " q ", q0\n"                    \
  "vshr.s32 q1, " q ", #31\n"                          \
  "vadd.i32 " q ", " q ", q1\n"                        \
  "vldrb.s32 q0, [r5, #" shifts "]\n"                  \
  "vrshl.s32 " q ", " q ", q0\n"

namespace nn {

MOTE_BARE void depthwise_window_vector(const VectorWindow&, int32_t) {
  __asm__ volatile(
      "ldr r1, [r0, #4]\n"  // offsets
      MOTE_ARM_VECTOR_BEGIN
      "ldr r6, [r0]\n"
      "ldr r12, [r0, #8]\n"
      "ldrd r4, r5, [r0, #12]\n"
      "ldrd r8, r7, [r0, #20]\n"
      "ldrd r9, r10, [r0, #28]\n"
      "ldr r11, [r0, #36]\n"
      "1:\n"
      "vldrw.u32 q4, [r5]\n"
      "vldrw.u32 q5, [r5, #16]\n"
      "vldrw.u32 q6, [r5, #32]\n"
      "vldrw.u32 q7, [r5, #48]\n"
      "vctp.8 r7\n"
      "ldr r2, [sp, #4]\n"
      "dls lr, r12\n"
      "2:\n"
      "ldrd r0, r1, [r2], #8\n"
      "add r0, r0, r6\n"
      "add r1, r1, r6\n"
      "vpstt\n"
      "vldrbt.u8 q0, [r0]\n"
      "vldrbt.u8 q1, [r1]\n"
      "vldrb.u8 q2, [r4], #16\n"
      "vmullb.s8 q3, q0, q2\n"
      "vmullt.s8 q0, q0, q2\n"
      "vldrb.u8 q2, [r4]\n"
      "vmullb.s8 q2, q1, q2\n"
      "vadd.i16 q3, q3, q2\n"
      "vldrb.u8 q2, [r4], #16\n"
      "vmullt.s8 q1, q1, q2\n"
      "vadd.i16 q0, q0, q1\n"
      MOTE_WIDEN_ADD("q3", "q4", "q5")
      MOTE_WIDEN_ADD("q0", "q6", "q7")
      "le lr, 2b\n"
      "add r5, r5, #128\n"
      MOTE_WINDOW_REQUANTIZE("q4", "-64", "0")
      MOTE_WINDOW_REQUANTIZE("q5", "-48", "4")
      MOTE_WINDOW_REQUANTIZE("q6", "-32", "8")
      MOTE_WINDOW_REQUANTIZE("q7", "-16", "12")
      "add r5, r5, #16\n"
      "vqmovnb.s32 q0, q4\n vqmovnt.s32 q0, q5\n"
      "vqmovnb.s32 q1, q6\n vqmovnt.s32 q1, q7\n"
      "vqadd.s16 q0, q0, r9\n"
      "vqadd.s16 q1, q1, r9\n"
      "vqmovnb.s16 q2, q0\n vqmovnt.s16 q2, q1\n"
      "vdup.8 q0, r10\n"
      "vmax.s8 q2, q2, q0\n"
      "vdup.8 q0, r11\n"
      "vmin.s8 q2, q2, q0\n"
      "vpst\n vstrbt.8 q2, [r8]\n"
      "add r8, r8, #16\n"
      "add r6, r6, #16\n"
      "subs r7, r7, #16\n"
      "bgt 1b\n" MOTE_ARM_VECTOR_END);
}

}  // namespace nn

#undef MOTE_WIDEN_ADD
#undef MOTE_WINDOW_REQUANTIZE
