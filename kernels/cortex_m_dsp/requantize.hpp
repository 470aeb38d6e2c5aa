// SPDX-License-Identifier: Apache-2.0
// nn::requantize_paired in Arm's DSP instructions, as text for kernels in assembly. r3: {multiplier, offset} of the
// next channel; r12 is overwritten.
#pragma once

// multiplier, offset and s - 1 of the next channel: r0 to r2.
#define MOTE_DSP_CHANNEL        \
  "ldrd r0, r1, [r3], #8\n" \
  "rbit r2, r1\n"           \
  "clz r2, r2\n"
#define MOTE_DSP_REQUANTIZE(sum)              \
  "smmlar r12, r12, r0, r1\n"             \
  "add " sum ", r12, " sum ", asr #31\n"  \
  "asr " sum ", " sum ", r2\n"            \
  "ssat " sum ", #8, " sum ", asr #1\n"
#define MOTE_DSP_SUM(sum) "lsl r12, " sum ", #1\n" MOTE_DSP_REQUANTIZE(sum)
#define MOTE_DSP_CLAMP(sum)    \
  "cmp " sum ", r0\n"      \
  "it lt\n"                \
  "movlt " sum ", r0\n"    \
  "cmp " sum ", r1\n"      \
  "it gt\n"                \
  "movgt " sum ", r1\n"
