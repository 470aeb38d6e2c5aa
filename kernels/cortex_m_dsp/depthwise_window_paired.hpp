// SPDX-License-Identifier: Apache-2.0
// One output pixel of a depthwise convolution in Arm's DSP instructions: 17 instructions for two taps of four channels.
#pragma once

#include <stdint.h>

#include "cortex_m_dsp/requantize.hpp"
#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// Two taps are two words of four channels; PKHBT and PKHTB put halves of both beside each other, so that SXTB16
// yields a channel's two taps. r4 to r7: sums. r8: values. r9, r11: offsets and their end. r10: weights.

namespace nn {

MOTE_BARE void depthwise_window_paired(PairedWindow&, int32_t) {
  __asm__ volatile(
      MOTE_ARM_BEGIN
      "ldr r8, [r0]\n"
      "ldrd r11, r10, [r0, #8]\n"
      "1:\n"
      "ldr r0, [sp]\n"
      "ldr r9, [r0, #4]\n"
      "ldr r1, [r0, #16]\n"
      "ldm r1!, {r4, r5, r6, r7}\n"
      "str r1, [r0, #16]\n"
      "2:\n"
      "ldrd r0, r1, [r9], #8\n"
      "ldr r0, [r8, r0]\n"
      "ldr r1, [r8, r1]\n"
      "pkhbt r2, r0, r1, lsl #16\n"
      "pkhtb r3, r1, r0, asr #16\n"
      "sxtb16 r0, r2\n"
      "sxtb16 r1, r2, ror #8\n"
      "sxtb16 r2, r3\n"
      "sxtb16 r3, r3, ror #8\n"
      "ldrd r12, lr, [r10], #8\n"
      "smlad r4, r0, r12, r4\n"
      "smlad r5, r1, lr, r5\n"
      "ldrd r12, lr, [r10], #8\n"
      "smlad r6, r2, r12, r6\n"
      "smlad r7, r3, lr, r7\n"
      "cmp r9, r11\n"
      "bne 2b\n"
      "ldr r3, [sp]\n"
      "ldr r3, [r3, #16]\n"
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r4")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r5")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r6")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r7")
      "ldr r12, [sp]\n"
      "str r3, [r12, #16]\n"
      "ldr r0, [r12, #28]\n"
      "cmp r0, #0\n"
      "bne 4f\n"
      "3:\n"
      "ldrd r0, r2, [r12, #20]\n"
      "strb r4, [r0], #1\n strb r5, [r0], #1\n strb r6, [r0], #1\n strb r7, [r0], #1\n"
      "subs r2, r2, #4\n"
      "strd r0, r2, [r12, #20]\n"
      "add r8, r8, #4\n"
      "bne 1b\n"
      "b 5f\n"
      "4:\n"
      "ldrd r0, r1, [r12, #32]\n"
      MOTE_DSP_CLAMP("r4") MOTE_DSP_CLAMP("r5") MOTE_DSP_CLAMP("r6") MOTE_DSP_CLAMP("r7")
      "b 3b\n"
      "5:\n" MOTE_ARM_END);
}

}  // namespace nn
