// SPDX-License-Identifier: Apache-2.0
// The sums of nn/multiply_paired_s16.hpp in Arm's DSP instructions: 0.94 instructions per multiply-accumulate, 1.4 with
// one pixel.
#pragma once

#include <stdint.h>

#include "cortex_m_dsp/paired_begin.hpp"
#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// Blocking. A word of weights is two taps of two channels, so that two SXTB16 yield a channel's pair each. Two pixels
// times four channels are eight sums; two pointers, a word of each pixel, one of weights and its first half make
// fourteen registers. Channel 0, 1, 2, 3 of pixel 0: r4 to r7; of pixel 1: r8 to r11. r12: values, lr: weights.

#define MOTE_TWO_CHANNELS(load, a0, a1, b0, b1) \
  load                                          \
  "sxtb16 r3, r2\n"                             \
  "sxtb16 r2, r2, ror #8\n"                     \
  "smlad " a0 ", r0, r3, " a0 "\n"              \
  "smlad " a1 ", r1, r3, " a1 "\n"              \
  "smlad " b0 ", r0, r2, " b0 "\n"              \
  "smlad " b1 ", r1, r2, " b1 "\n"
#define MOTE_STEP_2X4                                              \
  "ldrd r0, r1, [r12], #8\n"                                       \
  MOTE_TWO_CHANNELS("ldr r2, [lr], #4\n", "r4", "r8", "r5", "r9")  \
  MOTE_TWO_CHANNELS("ldr r2, [lr], #4\n", "r6", "r10", "r7", "r11")
#define MOTE_CHANNELS_1X4      \
  "ldrd r2, r3, [lr], #8\n"    \
  "sxtb16 r8, r2\n"            \
  "sxtb16 r9, r2, ror #8\n"    \
  "sxtb16 r10, r3\n"           \
  "sxtb16 r11, r3, ror #8\n"   \
  "smlad r4, r0, r8, r4\n"     \
  "smlad r5, r0, r9, r5\n"     \
  "smlad r6, r0, r10, r6\n"    \
  "smlad r7, r0, r11, r7\n"
#define MOTE_STEP_1X4 "ldr r0, [r12], #4\n" MOTE_CHANNELS_1X4
#define MOTE_FOUR(text) text text text text

#define MOTE_HALVE(sum)               \
  "add " sum ", " sum ", #1\n"        \
  "ssat " sum ", #16, " sum ", asr #1\n"
#define MOTE_CLAMP(sum)                                    \
  "cmp " sum ", r0\n it lt\n movlt " sum ", r0\n"          \
  "cmp " sum ", r1\n it gt\n movgt " sum ", r1\n"

namespace nn {

MOTE_BARE void multiply_paired_2x4_s16(Paired16&) {
  __asm__ volatile(
      MOTE_DSP_PAIRED_BEGIN
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "bx r2\n"
      ".balign 4\n"
      "2:\n" MOTE_FOUR(MOTE_STEP_2X4)
      "3:\n"
      "ldr r0, [sp, #4]\n"
      "cmp r12, r0\n"
      "bne 2b\n"
      "ldr r12, [sp]\n"
      "ldr r3, [r12]\n"
      "ldrd r0, r1, [r3], #8\n"
      "smmul r4, r4, r0\n smmul r8, r8, r0\n smmul r5, r5, r1\n smmul r9, r9, r1\n"
      "ldrd r0, r1, [r3], #8\n"
      "smmul r6, r6, r0\n smmul r10, r10, r0\n smmul r7, r7, r1\n smmul r11, r11, r1\n"
      "str r3, [r12]\n"
      MOTE_HALVE("r4") MOTE_HALVE("r5") MOTE_HALVE("r6") MOTE_HALVE("r7")
      MOTE_HALVE("r8") MOTE_HALVE("r9") MOTE_HALVE("r10") MOTE_HALVE("r11")
      "ldrd r0, r1, [r12, #32]\n"
      "sub r2, r1, r0\n"
      "movw r3, #65535\n"
      "cmp r2, r3\n"
      "beq 4f\n"
      MOTE_CLAMP("r4") MOTE_CLAMP("r5") MOTE_CLAMP("r6") MOTE_CLAMP("r7")
      MOTE_CLAMP("r8") MOTE_CLAMP("r9") MOTE_CLAMP("r10") MOTE_CLAMP("r11")
      "4:\n"
      "ldrd r0, r1, [r12, #20]\n"
      "ldr r2, [r12, #28]\n"
      "subs r2, r2, #4\n"
      "blt 5f\n"
      "str r2, [r12, #28]\n"
      "strh r8, [r1], #2\n strh r4, [r0], #2\n"
      "strh r9, [r1], #2\n strh r5, [r0], #2\n"
      "strh r10, [r1], #2\n strh r6, [r0], #2\n"
      "strh r11, [r1], #2\n strh r7, [r0], #2\n"
      "strd r0, r1, [r12, #20]\n"
      "bne 1b\n"
      "b 7f\n"
      "5:\n"
      "strh r8, [r1]\n strh r4, [r0]\n"
      "cmp r2, #-3\n"
      "beq 7f\n"
      "strh r9, [r1, #2]\n strh r5, [r0, #2]\n"
      "cmp r2, #-2\n"
      "beq 7f\n"
      "strh r10, [r1, #4]\n strh r6, [r0, #4]\n"
      "7:\n" MOTE_ARM_END);
}

MOTE_BARE void multiply_paired_1x4_s16(Paired16&) {
  __asm__ volatile(
      MOTE_DSP_PAIRED_BEGIN
      "bx r2\n"
      ".balign 4\n"
      "2:\n" MOTE_FOUR(MOTE_STEP_1X4)
      "3:\n"
      "ldr r0, [sp, #4]\n"
      "cmp r12, r0\n"
      "bne 2b\n"
      "ldr r3, [sp]\n"
      "ldr r0, [r3, #40]\n"
      "cmp r0, #0\n"
      "beq 8f\n"
      "ldrsh r0, [r12]\n"
      MOTE_CHANNELS_1X4
      "8:\n"
      "ldr r12, [sp]\n"
      "ldr r3, [r12]\n"
      "ldm r3!, {r8, r9, r10, r11}\n"
      "str r3, [r12]\n"
      "smmul r4, r4, r8\n smmul r5, r5, r9\n smmul r6, r6, r10\n smmul r7, r7, r11\n"
      MOTE_HALVE("r4") MOTE_HALVE("r5") MOTE_HALVE("r6") MOTE_HALVE("r7")
      "ldrd r0, r1, [r12, #32]\n"
      MOTE_CLAMP("r4") MOTE_CLAMP("r5") MOTE_CLAMP("r6") MOTE_CLAMP("r7")
      "ldr r0, [r12, #20]\n"
      "ldr r2, [r12, #28]\n"
      "subs r2, r2, #4\n"
      "blt 5f\n"
      "str r2, [r12, #28]\n"
      "strh r4, [r0], #2\n strh r5, [r0], #2\n strh r6, [r0], #2\n strh r7, [r0], #2\n"
      "str r0, [r12, #20]\n"
      "bne 1b\n"
      "b 7f\n"
      "5:\n"
      "strh r4, [r0]\n"
      "cmp r2, #-3\n"
      "beq 7f\n"
      "strh r5, [r0, #2]\n"
      "cmp r2, #-2\n"
      "beq 7f\n"
      "strh r6, [r0, #4]\n"
      "7:\n" MOTE_ARM_END);
}

}  // namespace nn

#undef MOTE_CLAMP
#undef MOTE_HALVE
#undef MOTE_FOUR
#undef MOTE_STEP_1X4
#undef MOTE_CHANNELS_1X4
#undef MOTE_STEP_2X4
#undef MOTE_TWO_CHANNELS
