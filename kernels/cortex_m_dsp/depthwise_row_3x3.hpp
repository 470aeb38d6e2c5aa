// SPDX-License-Identifier: Apache-2.0
// One output row of a depthwise 3x3 convolution in Arm's DSP instructions: 22 instructions an output with stride 1,
// 29 with stride 2.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// A column of the window is two words: rows 0 and 1 as a pair of 16 bits, and row 2. It is loaded once and takes part
// in the three sums that are under way: two instructions each. Registers: r0 to r3 and lr hold the five words of
// weights, and after the products what requantisation needs; each set comes by one LDM, from above and below r9. r4
// wants the right column, r5 the middle and the right one; r6 is the finished sum. r7, r8: the column. r10: its address in row 0; r11, r12: from there to rows 1 and 2.
// Offsets below are those of DepthwiseRow less 84, the place of weight_pairs.

#define MOTE_COLUMN               \
  "ldrsb r7, [r10]\n"             \
  "ldrsb r8, [r10, r11]\n"        \
  "pkhbt r7, r7, r8, lsl #16\n"   \
  "ldrsb r8, [r10, r12]\n"
#define MOTE_OUTSIDE "ldrd r7, r8, [r9, #-32]\n"
#define MOTE_LEFT(sum)                  \
  "smlad " sum ", r7, r0, " sum "\n"    \
  "smlabb " sum ", r8, r3, " sum "\n"
#define MOTE_MIDDLE(sum, from)           \
  "smlad " sum ", r7, r1, " from "\n"    \
  "smlabt " sum ", r8, r3, " sum "\n"
#define MOTE_RIGHT                 \
  "smlad r6, r7, r2, r4\n"         \
  "smlabb r6, r8, lr, r6\n"
#define MOTE_BIAS(sum) "ldr " sum ", [r9, #20]\n"
#define MOTE_WEIGHTS "ldm r9, {r0, r1, r2, r3, lr}\n"
// multiplier, offset, shift - 1, step, delta, end: r0 to r3, r7, lr.
#define MOTE_REQUANTIZE                          \
  "ldmdb r9, {r0, r1, r2, r3, r7, lr}\n"         \
  "lsl r8, r6, #1\n"                             \
  "smmlar r8, r8, r0, r1\n"                      \
  "add r6, r8, r6, asr #31\n"                    \
  "asr r6, r6, r2\n"                             \
  "ssat r6, #8, r6, asr #1\n"

// r9 to r12, then for each channel: its weights and numbers, and r10 at its first column. Ends with step in r6, the
// bias in r4.
#define MOTE_CHANNEL_BEGIN            \
  MOTE_ARM_BEGIN                      \
  "add r9, r0, #84\n"                 \
  "ldr r10, [r9, #-72]\n"             \
  "ldrd r11, r12, [r9, #-68]\n"       \
  "sub r11, r11, r10\n"               \
  "sub r12, r12, r10\n"               \
  "1:\n"                              \
  "ldr r10, [r9, #-72]\n"             \
  "add r0, r10, #1\n"                 \
  "str r0, [r9, #-72]\n"              \
  "ldr r2, [r9, #-56]\n"              \
  "ldr r0, [r2]\n"                    \
  "ldr r1, [r2, #4]\n"                \
  "ldrsb lr, [r2, #8]\n"              \
  "add r2, r2, #9\n"                  \
  "str r2, [r9, #-56]\n"              \
  "sxtb16 r3, r1, ror #8\n"           \
  "sxtb16 r2, r1\n"                   \
  "sxtb16 r1, r0, ror #8\n"           \
  "sxtb16 r0, r0\n"                   \
  "ldr r8, [r9, #-52]\n"              \
  "ldm r8!, {r4, r5, r6}\n"           \
  "str r8, [r9, #-52]\n"              \
  "ldr r7, [r9, #-84]\n"              \
  "cmp r7, #0\n"                      \
  "bne 7f\n"                          \
  "8:\n"                              \
  "stm r9, {r0, r1, r2, r3, lr}\n"    \
  "rbit r7, r6\n"                     \
  "clz r7, r7\n"                      \
  "str r4, [r9, #20]\n"               \
  "strd r5, r6, [r9, #-24]\n"         \
  "str r7, [r9, #-16]\n"              \
  "ldr r6, [r9, #-12]\n"              \
  "ldr r5, [r9, #-40]\n"              \
  "cmp r5, #0\n"                      \
  "bne 5f\n"                          \
  MOTE_COLUMN                         \
  "add r10, r10, r6\n"                \
  "b 6f\n"                            \
  "5:\n"                              \
  MOTE_OUTSIDE                        \
  "6:\n"                              \
  MOTE_LEFT("r4")
// Where the last column lies, from r10 on; nothing to do where the only window ends outside.
#define MOTE_SPAN                 \
  "ldr r7, [r9, #-44]\n"          \
  "add r7, r7, r10\n"             \
  "str r7, [r9, #-4]\n"           \
  "cmp r7, r10\n"                 \
  "beq 3f\n"
// Rows outside: the bias had counted their weights with the input's zero point; r7 holds it twice, then negated.
#define MOTE_COUNT_WEIGHTS           \
  "smlad r4, r7, r0, r4\n"           \
  "smlad r4, r7, r1, r4\n"           \
  "smlad r4, r7, r2, r4\n"           \
  "smlad r4, r7, r3, r4\n"           \
  "smlabb r4, r7, lr, r4\n"
#define MOTE_CHANNEL_END             \
  "4:\n"                             \
  "ldr r0, [r9, #-48]\n"             \
  "subs r0, r0, #1\n"                \
  "str r0, [r9, #-48]\n"             \
  "bne 1b\n"                         \
  "b 9f\n"                           \
  "7:\n"                             \
  "ldr r7, [r9, #-32]\n"             \
  MOTE_COUNT_WEIGHTS                  \
  "ldrd r7, r8, [r9, #-80]\n"        \
  "and r0, r0, r7\n"                 \
  "and r1, r1, r7\n"                 \
  "and r2, r2, r7\n"                 \
  "and r3, r3, r8\n"                 \
  "and lr, lr, r8\n"                 \
  "ldr r8, [r9, #-32]\n"             \
  "mov r7, #0\n"                     \
  "ssub16 r7, r7, r8\n"              \
  MOTE_COUNT_WEIGHTS                  \
  "b 8b\n"                           \
  "9:\n" MOTE_ARM_END

// A channel's row from its first column on, the left one being added.
#define MOTE_STRIDE1                   \
  MOTE_COLUMN                         \
  "add r10, r10, r6\n"                \
  MOTE_MIDDLE("r4", "r4") MOTE_BIAS("r5") MOTE_LEFT("r5") MOTE_SPAN \
  "2:\n" MOTE_COLUMN MOTE_WEIGHTS MOTE_RIGHT MOTE_MIDDLE("r4", "r5") MOTE_BIAS("r5") MOTE_LEFT("r5") \
  MOTE_REQUANTIZE                     \
  "strb r6, [r10, r7]\n"              \
  "add r10, r10, r3\n"                \
  "cmp r10, lr\n"                     \
  "bne 2b\n"                          \
  "3:\n"                              \
  "ldr r0, [r9, #-36]\n"              \
  "cmp r0, #0\n"                      \
  "beq 4f\n"                          \
  MOTE_OUTSIDE MOTE_WEIGHTS MOTE_RIGHT MOTE_REQUANTIZE \
  "strb r6, [r10, r7]\n"
#define MOTE_STRIDE2                   \
  "ldr r5, [r9, #-60]\n"              \
  "add r6, r5, #1\n"                  \
  "str r6, [r9, #-60]\n"              \
  MOTE_SPAN                           \
  "2:\n" MOTE_COLUMN MOTE_WEIGHTS MOTE_MIDDLE("r4", "r4") \
  "ldr r1, [r9, #-12]\n"              \
  "add r10, r10, r1\n"                \
  MOTE_COLUMN MOTE_RIGHT MOTE_BIAS("r4") MOTE_LEFT("r4") MOTE_REQUANTIZE \
  "strb r6, [r5]\n"                   \
  "add r5, r5, r3\n"                  \
  "add r10, r10, r3\n"                \
  "cmp r10, lr\n"                     \
  "bne 2b\n"                          \
  "3:\n"                              \
  "ldr r0, [r9, #-36]\n"              \
  "cmp r0, #0\n"                      \
  "beq 4f\n"                          \
  MOTE_COLUMN MOTE_WEIGHTS MOTE_MIDDLE("r4", "r4") MOTE_OUTSIDE MOTE_RIGHT MOTE_REQUANTIZE \
  "strb r6, [r5]\n"

namespace nn {

#if MOTE_OPTIMIZE > 0
MOTE_BARE void depthwise_row_3x3_stride1(DepthwiseRow&) {
  __asm__ volatile(MOTE_CHANNEL_BEGIN MOTE_STRIDE1 MOTE_CHANNEL_END);
}

MOTE_BARE void depthwise_row_3x3_stride2(DepthwiseRow&) {
  __asm__ volatile(MOTE_CHANNEL_BEGIN MOTE_STRIDE2 MOTE_CHANNEL_END);
}

MOTE_KERNEL void depthwise_row_3x3(DepthwiseRow& row, int32_t stride) {
  if (stride == 1) {
    depthwise_row_3x3_stride1(row);
  } else {
    depthwise_row_3x3_stride2(row);
  }
}
#else
// One function has less code than two.
MOTE_BARE void depthwise_row_3x3_both(DepthwiseRow&) {
  __asm__ volatile(MOTE_CHANNEL_BEGIN
                   "ldr r7, [r9, #24]\n"
                   "cmp r7, #1\n"
                   "bne.w 10f\n" MOTE_STRIDE1
                   "b.w 4f\n"
                   "10:\n" MOTE_STRIDE2 MOTE_CHANNEL_END);
}

MOTE_KERNEL void depthwise_row_3x3(DepthwiseRow& row, int32_t stride) {
  row.stride = stride;
  depthwise_row_3x3_both(row);
}
#endif

}  // namespace nn

#undef MOTE_STRIDE1
#undef MOTE_STRIDE2
#undef MOTE_COLUMN
#undef MOTE_OUTSIDE
#undef MOTE_LEFT
#undef MOTE_MIDDLE
#undef MOTE_RIGHT
#undef MOTE_BIAS
#undef MOTE_WEIGHTS
#undef MOTE_REQUANTIZE
#undef MOTE_CHANNEL_BEGIN
#undef MOTE_SPAN
#undef MOTE_COUNT_WEIGHTS
#undef MOTE_CHANNEL_END
