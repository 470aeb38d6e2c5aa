// SPDX-License-Identifier: Apache-2.0
// The sums of nn/multiply_vector_s16.hpp in Arm's M-profile vector instructions: 16 instructions for 64 products.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// Blocking: as cortex_m_mve/multiply_vector.hpp has it, with eight taps a vector and weights widened by their loads.

#define MOTE_CHANNEL(weights, first, second) \
  "vldrb.s16 q2, " weights "\n"             \
  "vmladava.s16 " first ", q0, q2\n"        \
  "vmladava.s16 " second ", q1, q2\n"
// floor(sum * multiplier / 2^32), halved with halves up.
#define MOTE_REQUANTIZE(q)          \
  "vmulh.s32 " q ", " q ", q2\n"    \
  "vrshr.s32 " q ", " q ", #1\n"    \
  "vmin.s32 " q ", " q ", q7\n"     \
  "vmax.s32 " q ", " q ", q6\n"

namespace nn {

MOTE_BARE void multiply_vector_2x4_s16(VectorBlock16&) {
  __asm__ volatile(
      MOTE_ARM_VECTOR_BEGIN
      "ldrd r5, r7, [r0, #16]\n"
      "ldr r9, [r0, #12]\n"
      "ldr r1, [r0, #36]\n"
      "vdup.32 q6, r1\n"
      "ldr r1, [r0, #40]\n"
      "vdup.32 q7, r1\n"
      "1:\n"
      "ldr r11, [sp]\n"
      "ldm r11, {r1, r3, r11}\n"
      "ldm r7!, {r0, r2, r4, r6}\n"
      "mov r8, r0\n mov r10, r2\n mov r12, r4\n mov lr, r6\n"
      "cmp r11, #0\n"
      "beq 3f\n"
      "2:\n"
      "vldrh.u16 q0, [r1], #16\n"
      "vldrh.u16 q1, [r3], #16\n"
      MOTE_CHANNEL("[r5], #8", "r0", "r8")
      MOTE_CHANNEL("[r5], #8", "r2", "r10")
      MOTE_CHANNEL("[r5], #8", "r4", "r12")
      MOTE_CHANNEL("[r5], #8", "r6", "lr")
      "subs r11, r11, #1\n"
      "bne 2b\n"
      "3:\n"
      "cmp r9, #0\n"
      "beq 4f\n"
      "vctp.16 r9\n"
      "vpstt\n vldrht.u16 q0, [r1]\n vldrht.u16 q1, [r3]\n"
      MOTE_CHANNEL("[r5]", "r0", "r8") "add r5, r5, r9\n"
      MOTE_CHANNEL("[r5]", "r2", "r10") "add r5, r5, r9\n"
      MOTE_CHANNEL("[r5]", "r4", "r12") "add r5, r5, r9\n"
      MOTE_CHANNEL("[r5]", "r6", "lr") "add r5, r5, r9\n"
      "4:\n"
      "vmov d0, r0, r2\n vmov d1, r4, r6\n"
      "vmov d2, r8, r10\n vmov d3, r12, lr\n"
      "vldrw.u32 q2, [r7], #16\n"
      MOTE_REQUANTIZE("q0")
      MOTE_REQUANTIZE("q1")
      "ldr r11, [sp]\n"
      "ldrd r1, r3, [r11, #24]\n"
      "ldr r0, [r11, #32]\n"
      "vctp.32 r0\n"
      "vpstt\n vstrht.32 q1, [r3], #8\n vstrht.32 q0, [r1], #8\n"
      "strd r1, r3, [r11, #24]\n"
      "subs r0, r0, #4\n"
      "str r0, [r11, #32]\n"
      "bgt 1b\n" MOTE_ARM_VECTOR_END);
}

}  // namespace nn

#undef MOTE_REQUANTIZE
#undef MOTE_CHANNEL
