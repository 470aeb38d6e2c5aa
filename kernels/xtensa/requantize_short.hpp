// SPDX-License-Identifier: Apache-2.0
// Requantisation of four short sums of one channel on Xtensa: 14 instructions, and 15 for each output.
#pragma once

#include <stdint.h>

// Compilers set the shift amount for each shift and keep some of the constants in memory. `b` enters as the shift,
// `high_part` as the multiplier and `step` as the address of the constants.
#define MOTE_SHORT_OUTPUT(place, tie)     \
  "l32i %[sum], %[sums], " place "\n"     \
  "mull %[a], %[sum], %[low_part]\n"      \
  "mull %[b], %[sum], %[middle_part]\n"   \
  "mull %[sum], %[sum], %[high_part]\n"   \
  "srai %[a], %[a], 11\n"                 \
  "add %[a], %[a], %[b]\n"                \
  "srai %[a], %[a], 11\n"                 \
  "add %[sum], %[sum], %[a]\n" tie        \
  "add %[sum], %[sum], %[offset]\n"       \
  "sra %[sum], %[sum]\n"                  \
  "bge %[sum], %[low], 1f\n"              \
  "mov %[sum], %[low]\n"                  \
  "1:\n"                                  \
  "bge %[high], %[sum], 1f\n"             \
  "mov %[sum], %[high]\n"                 \
  "1:\n"                                  \
  "s8i %[sum], %[out], 0\n"               \
  "add %[out], %[out], %[step]\n"
#define MOTE_SHORT_OUTPUTS(tie)                                                                                 \
  __asm__ volatile(                                                                                             \
      "l32i %[offset], %[step], 0\n"                                                                            \
      "addi %[a], %[b], -1\n"                                                                                   \
      "ssl %[a]\n"                                                                                              \
      "sll %[offset], %[offset]\n"                                                                              \
      "addi %[offset], %[offset], 1\n"                                                                          \
      "slli %[offset], %[offset], 8\n"                                                                          \
      "addi %[b], %[b], 8\n"                                                                                    \
      "ssr %[b]\n"                                                                                              \
      "extui %[low_part], %[high_part], 0, 11\n"                                                                \
      "extui %[middle_part], %[high_part], 11, 11\n"                                                            \
      "srai %[high_part], %[high_part], 22\n"                                                                   \
      "l32i %[low], %[step], 4\n"                                                                               \
      "l32i %[high], %[step], 8\n"                                                                              \
      "l32i %[step], %[step], 12\n"                                                                             \
      MOTE_SHORT_OUTPUT("0", tie) MOTE_SHORT_OUTPUT("4", tie)                                                   \
      MOTE_SHORT_OUTPUT("8", tie) MOTE_SHORT_OUTPUT("12", tie)                                                  \
      : [out] "+&r"(out), [b] "+&r"(shift), [high_part] "+&r"(multiplier), [step] "+&r"(constants),             \
        [sum] "=&r"(sum), [a] "=&r"(a), [low_part] "=&r"(low_part), [middle_part] "=&r"(middle_part),           \
        [offset] "=&r"(offset), [low] "=&r"(low), [high] "=&r"(high)                                            \
      : [sums] "r"(sums)                                                                                        \
      : "memory")

namespace nn {

// As in nn/requantize_short.hpp.
MOTE_KERNEL void requantize_four_short(const ShortOutputs& p, const int32_t* sums, int32_t multiplier, int32_t shift,
                                       int8_t* out) {
  const ShortOutputs* constants = &p;
  int32_t sum, a, low_part, middle_part, offset, low, high;
  if (p.ties != 0) {
    MOTE_SHORT_OUTPUTS("srai %[a], %[sum], 31\n slli %[a], %[a], 9\n add %[sum], %[sum], %[a]\n");
  } else {
    MOTE_SHORT_OUTPUTS("");
  }
}

}  // namespace nn

#undef MOTE_SHORT_OUTPUTS
#undef MOTE_SHORT_OUTPUT
