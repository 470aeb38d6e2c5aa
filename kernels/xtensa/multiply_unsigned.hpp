// SPDX-License-Identifier: Apache-2.0
// Four pixels times two channels on Xtensa, 2.75 instructions per multiply-accumulate, and one times eight, 3.4.
#pragma once

#include <stdint.h>

#include "nn/assembly.hpp"
#include "nn/fixed.hpp"

// One tap: the value of one pixel in a6, two weights in a4 and a5, the sums of one channel in a8 to a11, of the other
// in a12 to a15. Compilers keep some of the sums in memory.
#define MOTE_PIXEL(value, sum0, sum1) \
  "l8ui a6, a2, " value "\n"          \
  "mull a7, a6, a4\n"                 \
  "mull a6, a6, a5\n"                 \
  "add " sum0 ", " sum0 ", a7\n"      \
  "add " sum1 ", " sum1 ", a6\n"
#define MOTE_TAP(x0, x1, x2, x3)      \
  "l8ui a4, a3, " x0 "\n"             \
  "l8ui a5, a3, " x1 "\n"             \
  MOTE_PIXEL(x0, "a8", "a12")         \
  MOTE_PIXEL(x1, "a9", "a13")         \
  MOTE_PIXEL(x2, "a10", "a14")        \
  MOTE_PIXEL(x3, "a11", "a15")
#define MOTE_TWO_TAPS MOTE_TAP("0", "1", "2", "3") MOTE_TAP("4", "5", "6", "7")
#define MOTE_EIGHT_TAPS                              \
  MOTE_TWO_TAPS                                      \
  MOTE_TAP("8", "9", "10", "11")                     \
  MOTE_TAP("12", "13", "14", "15")                   \
  MOTE_TAP("16", "17", "18", "19")                   \
  MOTE_TAP("20", "21", "22", "23")                   \
  MOTE_TAP("24", "25", "26", "27")                   \
  MOTE_TAP("28", "29", "30", "31")
// As long as values and weights are before `end`.
#define MOTE_LOOP(end, body, bytes) \
  "l32i a0, " end "\n"              \
  "bgeu a2, a0, 2f\n"               \
  "1:\n" body                       \
  "addi a2, a2, " bytes "\n"        \
  "addi a3, a3, " bytes "\n"        \
  "bltu a2, a0, 1b\n"               \
  "2:\n"
#define MOTE_FIRST_SUMS(place, sum0, sum1) \
  "l32i a7, a6, " place "\n"               \
  "add " sum0 ", a4, a7\n"                 \
  "add " sum1 ", a5, a7\n"
// One value in a6 and a weight in a7, for each of eight sums.
#define MOTE_CHANNEL(weights, place, sum) \
  "l8ui a7, " weights ", " place "\n"     \
  "mull a7, a7, a6\n"                     \
  "add " sum ", " sum ", a7\n"
#define MOTE_VALUE(x0, x1, x2, x3)                                           \
  "l8ui a6, a2, 0\n"                                                         \
  "add a2, a2, a0\n"                                                         \
  "xor a6, a6, a5\n"                                                         \
  MOTE_CHANNEL("a3", x0, "a8") MOTE_CHANNEL("a3", x1, "a9")                  \
  MOTE_CHANNEL("a3", x2, "a10") MOTE_CHANNEL("a3", x3, "a11")                \
  MOTE_CHANNEL("a4", x0, "a12") MOTE_CHANNEL("a4", x1, "a13")                \
  MOTE_CHANNEL("a4", x2, "a14") MOTE_CHANNEL("a4", x3, "a15")
#define MOTE_TWO_VALUES MOTE_VALUE("0", "1", "2", "3") MOTE_VALUE("4", "5", "6", "7")
#define MOTE_FOUR_VALUES MOTE_TWO_VALUES MOTE_VALUE("8", "9", "10", "11") MOTE_VALUE("12", "13", "14", "15")
// As long as weights are before `end`.
#define MOTE_VALUE_LOOP(end, body, bytes) \
  "l32i a6, " end "\n"                    \
  "bgeu a3, a6, 2f\n"                     \
  "1:\n" body                             \
  "addi a3, a3, " bytes "\n"              \
  "addi a4, a4, " bytes "\n"              \
  "l32i a6, " end "\n"                    \
  "bltu a3, a6, 1b\n"                     \
  "2:\n"

namespace nn {

// As in nn/multiply_unsigned.hpp. All registers but the stack pointer: what else it needs comes from the stack.
MOTE_KERNEL void multiply_4x2(const uint8_t* first_value, const uint8_t* first_weight, int32_t taps,
                                const int32_t* scales, const int32_t* corrections, int32_t* sums) {
  register const uint8_t* values __asm__("a2") = first_value;
  register const uint8_t* weights __asm__("a3") = first_weight;
  const uint8_t* const end = values + 4 * taps;
#if MOTE_OPTIMIZE > 0
  const uint8_t* const end_of_eights = values + 4 * (taps & ~7);
#endif
  __asm__ volatile(
      "l32i a4, %[scales]\n"
      "l32i a5, a4, 8\n"
      "l32i a4, a4, 0\n"
      "l32i a6, %[corrections]\n"
      MOTE_FIRST_SUMS("0", "a8", "a12") MOTE_FIRST_SUMS("4", "a9", "a13")
      MOTE_FIRST_SUMS("8", "a10", "a14") MOTE_FIRST_SUMS("12", "a11", "a15")
#if MOTE_OPTIMIZE > 0
      MOTE_LOOP("%[end_of_eights]", MOTE_EIGHT_TAPS, "32")
#endif
      MOTE_LOOP("%[end]", MOTE_TWO_TAPS, "8")
      "l32i a0, %[sums]\n"
      "s32i a8, a0, 0\n s32i a9, a0, 4\n s32i a10, a0, 8\n s32i a11, a0, 12\n"
      "s32i a12, a0, 16\n s32i a13, a0, 20\n s32i a14, a0, 24\n s32i a15, a0, 28\n"
      : "+r"(values), "+r"(weights)
      : [scales] "m"(scales), [corrections] "m"(corrections), [sums] "m"(sums), [end] "m"(end)
#if MOTE_OPTIMIZE > 0
        , [end_of_eights] "m"(end_of_eights)
#endif
      : "memory", "a0", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12", "a13", "a14", "a15");
}

// As in nn/multiply_unsigned.hpp.
MOTE_ASSEMBLY void multiply_1x8(const int8_t* first_value, int32_t step, int32_t taps, const uint8_t* weights0,
                                const uint8_t* weights1, int32_t* sums) {
  register const int8_t* values __asm__("a2") = first_value;
  register const uint8_t* first __asm__("a3") = weights0;
  register const uint8_t* second __asm__("a4") = weights1;
  const uint8_t* const end = weights0 + 4 * (taps & ~1);
  const int32_t last = taps & 1;
#if MOTE_OPTIMIZE > 0
  const uint8_t* const end_of_fours = weights0 + 4 * (taps & ~3);
#endif
  __asm__ volatile(
      "l32i a6, %[sums]\n"
      "l32i a8, a6, 0\n l32i a9, a6, 4\n l32i a10, a6, 8\n l32i a11, a6, 12\n"
      "l32i a12, a6, 16\n l32i a13, a6, 20\n l32i a14, a6, 24\n l32i a15, a6, 28\n"
      "l32i a0, %[step]\n"
      "movi a5, 128\n"
#if MOTE_OPTIMIZE > 0
      MOTE_VALUE_LOOP("%[end_of_fours]", MOTE_FOUR_VALUES, "16")
#endif
      MOTE_VALUE_LOOP("%[end]", MOTE_TWO_VALUES, "8")
      "l32i a6, %[last]\n"
      "beqz a6, 3f\n"
      MOTE_VALUE("0", "1", "2", "3")
      "3:\n"
      "l32i a6, %[sums]\n"
      "s32i a8, a6, 0\n s32i a9, a6, 4\n s32i a10, a6, 8\n s32i a11, a6, 12\n"
      "s32i a12, a6, 16\n s32i a13, a6, 20\n s32i a14, a6, 24\n s32i a15, a6, 28\n"
      : "+r"(values), "+r"(first), "+r"(second)
      : [sums] "m"(sums), [step] "m"(step), [end] "m"(end), [last] "m"(last)
#if MOTE_OPTIMIZE > 0
        , [end_of_fours] "m"(end_of_fours)
#endif
      : "memory", "a0", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12", "a13", "a14", "a15");
}

}  // namespace nn

#undef MOTE_VALUE_LOOP
#undef MOTE_FOUR_VALUES
#undef MOTE_TWO_VALUES
#undef MOTE_VALUE
#undef MOTE_CHANNEL
#undef MOTE_FIRST_SUMS
#undef MOTE_LOOP
#undef MOTE_EIGHT_TAPS
#undef MOTE_TWO_TAPS
#undef MOTE_TAP
#undef MOTE_PIXEL
