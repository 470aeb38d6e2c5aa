// SPDX-License-Identifier: Apache-2.0
// The sums of nn/multiply_paired.hpp in Arm's DSP instructions: 0.75 instructions per multiply-accumulate.
#pragma once

#include <stdint.h>

#include "cortex_m_dsp/paired_begin.hpp"
#include "cortex_m_dsp/requantize.hpp"
#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// Blocking. Fourteen registers are free (all but sp and pc). Two pixels
// times four channels are eight sums; a pointer each to values and weights and one word each of two pixels and two
// pairs of channels make fourteen. A step of two taps is 12 instructions for 16 products: two loads of two words,
// eight SMLAD, and two SXTB16, which unpack in place because the whole words were used before. Everything else
// lives on the stack. One pixel times four channels leaves four registers more: one LDM brings the weights of four
// taps, 16 instructions for 16 products.
// Loops are unrolled and entered in the middle, so that no count of taps is rounded up.

// Channel 0, 1, 2, 3 of pixel 0: r4 to r7; of pixel 1: r8 to r11. Channels 0 and 2 are S of their pair, 1 and 3 B.
#define MOTE_STEP_2X4           \
  "ldrd r0, r1, [r12], #8\n"    \
  "ldrd r2, r3, [lr], #8\n"     \
  "smlad r4, r0, r2, r4\n"      \
  "smlad r8, r1, r2, r8\n"      \
  "smlad r6, r0, r3, r6\n"      \
  "smlad r10, r1, r3, r10\n"    \
  "sxtb16 r2, r2\n"             \
  "sxtb16 r3, r3\n"             \
  "smlad r5, r0, r2, r5\n"      \
  "smlad r9, r1, r2, r9\n"      \
  "smlad r7, r0, r3, r7\n"      \
  "smlad r11, r1, r3, r11\n"
#define MOTE_STEP_2X4_BYTES 48

#define MOTE_STEP_1X4(load)        \
  load                             \
  "ldm.w lr!, {r8, r9, r10, r11}\n" \
  "sxtb16 r1, r0\n"                \
  "sxtb16 r0, r0, ror #8\n"        \
  "smlad r4, r1, r8, r4\n"         \
  "smlad r6, r1, r9, r6\n"         \
  "sxtb16 r8, r8\n"                \
  "sxtb16 r9, r9\n"                \
  "smlad r4, r0, r10, r4\n"        \
  "smlad r6, r0, r11, r6\n"        \
  "sxtb16 r10, r10\n"              \
  "sxtb16 r11, r11\n"              \
  "smlad r5, r1, r8, r5\n"         \
  "smlad r7, r1, r9, r7\n"         \
  "smlad r5, r0, r10, r5\n"        \
  "smlad r7, r0, r11, r7\n"
#define MOTE_STEP_1X4_BYTES 64

// As often as unrolled_2x4 and unrolled_1x4 say.
#if MOTE_OPTIMIZE > 0
#define MOTE_UNROLLED_2X4(text) text text text text text text text text
#define MOTE_UNROLLED_1X4(text) text text text text
#else
#define MOTE_UNROLLED_2X4(text) text text
#define MOTE_UNROLLED_1X4(text) text text
#endif

#define MOTE_FIRST(sum, other)        \
  "sub " sum ", " sum ", " other "\n" \
  "asr r12, " sum ", #7\n" MOTE_DSP_REQUANTIZE(sum)

namespace nn {

MOTE_KERNEL uint32_t even_bytes(uint32_t word) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
  return pair;
}
MOTE_KERNEL uint32_t odd_bytes(uint32_t word) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return pair;
}

MOTE_BARE void multiply_paired_2x4(Paired&) {
  __asm__ volatile(
      MOTE_DSP_PAIRED_BEGIN
      "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
      "bx r2\n"
      ".balign 4\n"
      "2:\n" MOTE_UNROLLED_2X4(MOTE_STEP_2X4)
      "3:\n"
      "ldr r0, [sp, #4]\n"
      "cmp r12, r0\n"
      "bne 2b\n"
      "ldr r3, [sp]\n"
      "ldr r3, [r3]\n"
      MOTE_DSP_CHANNEL MOTE_FIRST("r4", "r5") MOTE_FIRST("r8", "r9")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r5") MOTE_DSP_SUM("r9")
      MOTE_DSP_CHANNEL MOTE_FIRST("r6", "r7") MOTE_FIRST("r10", "r11")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r7") MOTE_DSP_SUM("r11")
      "ldr r12, [sp]\n"
      "str r3, [r12]\n"
      "ldr r0, [r12, #32]\n"
      "cmp r0, #0\n"
      "bne 6f\n"
      "4:\n"
      "ldrd r0, r1, [r12, #20]\n"
      "ldr r2, [r12, #28]\n"
      "subs r2, r2, #4\n"
      "blt 5f\n"
      "str r2, [r12, #28]\n"
      "strb r8, [r1], #1\n strb r4, [r0], #1\n"
      "strb r9, [r1], #1\n strb r5, [r0], #1\n"
      "strb r10, [r1], #1\n strb r6, [r0], #1\n"
      "strb r11, [r1], #1\n strb r7, [r0], #1\n"
      "strd r0, r1, [r12, #20]\n"
      "bne 1b\n"
      "b 7f\n"
      "5:\n"
      "strb r8, [r1]\n strb r4, [r0]\n"
      "cmp r2, #-3\n"
      "beq 7f\n"
      "strb r9, [r1, #1]\n strb r5, [r0, #1]\n"
      "cmp r2, #-2\n"
      "beq 7f\n"
      "strb r10, [r1, #2]\n strb r6, [r0, #2]\n"
      "b 7f\n"
      "6:\n"
      "ldrd r0, r1, [r12, #36]\n"
      MOTE_DSP_CLAMP("r4") MOTE_DSP_CLAMP("r5") MOTE_DSP_CLAMP("r6") MOTE_DSP_CLAMP("r7")
      MOTE_DSP_CLAMP("r8") MOTE_DSP_CLAMP("r9") MOTE_DSP_CLAMP("r10") MOTE_DSP_CLAMP("r11")
      "b 4b\n"
      "7:\n" MOTE_ARM_END);
}

MOTE_BARE void multiply_paired_1x4(Paired&) {
  __asm__ volatile(
      MOTE_DSP_PAIRED_BEGIN
      "bx r2\n"
      ".balign 4\n"
      "2:\n" MOTE_UNROLLED_1X4(MOTE_STEP_1X4("ldr r0, [r12], #4\n"))
      "3:\n"
      "ldr r0, [sp, #4]\n"
      "cmp r12, r0\n"
      "bne 2b\n"
      "ldr r3, [sp]\n"
      "ldrd r0, r1, [r3, #44]\n"
      "ldr r3, [r3]\n"
      "cmp r1, #0\n"
      "beq 8f\n"
      MOTE_STEP_1X4("")
      "8:\n"
      MOTE_DSP_CHANNEL MOTE_FIRST("r4", "r5")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r5")
      MOTE_DSP_CHANNEL MOTE_FIRST("r6", "r7")
      MOTE_DSP_CHANNEL MOTE_DSP_SUM("r7")
      "ldr r12, [sp]\n"
      "str r3, [r12]\n"
      "ldr r0, [r12, #32]\n"
      "cmp r0, #0\n"
      "bne 6f\n"
      "4:\n"
      "ldr r0, [r12, #20]\n"
      "ldr r2, [r12, #28]\n"
      "subs r2, r2, #4\n"
      "blt 5f\n"
      "str r2, [r12, #28]\n"
      "strb r4, [r0], #1\n strb r5, [r0], #1\n strb r6, [r0], #1\n strb r7, [r0], #1\n"
      "str r0, [r12, #20]\n"
      "bne 1b\n"
      "b 7f\n"
      "5:\n"
      "strb r4, [r0]\n"
      "cmp r2, #-3\n"
      "beq 7f\n"
      "strb r5, [r0, #1]\n"
      "cmp r2, #-2\n"
      "beq 7f\n"
      "strb r6, [r0, #2]\n"
      "b 7f\n"
      "6:\n"
      "ldrd r0, r1, [r12, #36]\n"
      MOTE_DSP_CLAMP("r4") MOTE_DSP_CLAMP("r5") MOTE_DSP_CLAMP("r6") MOTE_DSP_CLAMP("r7")
      "b 4b\n"
      "7:\n" MOTE_ARM_END);
}

}  // namespace nn

#undef MOTE_STEP_2X4
#undef MOTE_STEP_1X4
#undef MOTE_UNROLLED_2X4
#undef MOTE_UNROLLED_1X4
#undef MOTE_FIRST
