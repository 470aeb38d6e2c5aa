// SPDX-License-Identifier: Apache-2.0
// Four pixels times four channels on RV32IM: 2.6 instructions per multiply-accumulate, and 8 for each output.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nn/fixed.hpp"

// Compilers keep some of the sixteen sums in memory or reorder loads until they must; the registers are named here
// (s0 stays free: it may be the frame pointer). In one row the value at `next` is loaded while the row's last
// products are still on their way.
#define MOTE_ROW(a, b, c, d, next) \
  "mul t1, t0, t3\n"               \
  "mul t2, t0, t4\n"               \
  "add " a ", " a ", t1\n"         \
  "mul t1, t0, t5\n"               \
  "add " b ", " b ", t2\n"         \
  "mul t2, t0, t6\n"               \
  "add " c ", " c ", t1\n" next    \
  "add " d ", " d ", t2\n"
#define MOTE_LOAD(load, offset) load " t0, " offset "(%[values])\n"
#define MOTE_STEP(load, x0, x1, x2, x3, w0, w1, w2, w3)     \
  MOTE_LOAD(load, x0)                                       \
  "lb t3, " w0 "(%[weights])\n"                             \
  "lb t4, " w1 "(%[weights])\n"                             \
  "lb t5, " w2 "(%[weights])\n"                             \
  "lb t6, " w3 "(%[weights])\n"                             \
  MOTE_ROW("a6", "s1", "s2", "s3", MOTE_LOAD(load, x1))     \
  MOTE_ROW("s4", "s5", "s6", "s7", MOTE_LOAD(load, x2))     \
  MOTE_ROW("s8", "s9", "s10", "s11", MOTE_LOAD(load, x3))   \
  MOTE_ROW("a2", "a3", "a4", "a5", "")
#define MOTE_BYTES                                            \
  MOTE_STEP("lb", "0", "1", "2", "3", "0", "1", "2", "3")     \
  MOTE_STEP("lb", "4", "5", "6", "7", "4", "5", "6", "7")     \
  "addi %[values], %[values], 8\n"
#define MOTE_HALVES                                           \
  MOTE_STEP("lh", "0", "2", "4", "6", "0", "1", "2", "3")     \
  MOTE_STEP("lh", "8", "10", "12", "14", "4", "5", "6", "7")  \
  "addi %[values], %[values], 16\n"
// The sums, sum = bias + products, in their registers.
#define MOTE_SUMS(scales, two_taps)                                     \
  "lw t0, " scales "\n"                                                 \
  "lw a6, 0(t0)\n"                                                      \
  "lw s1, 8(t0)\n"                                                      \
  "lw s2, 16(t0)\n"                                                     \
  "lw s3, 24(t0)\n"                                                     \
  "mv s4, a6\n mv s8, a6\n mv a2, a6\n"                                 \
  "mv s5, s1\n mv s9, s1\n mv a3, s1\n"                                 \
  "mv s6, s2\n mv s10, s2\n mv a4, s2\n"                                \
  "mv s7, s3\n mv s11, s3\n mv a5, s3\n"                                \
  "1:\n" two_taps                                                       \
  "addi %[weights], %[weights], 8\n"                                    \
  "bltu %[values], %[end], 1b\n"
#define MOTE_CLOBBERED                                                                                            \
  "memory", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a6", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", \
      "s10", "s11", "a2", "a3", "a4", "a5"
// Requantize of one sum, to where t5 points: t0 multiplier, t1 shift, t3 offset, t6 bytes from pixel to pixel.
#define MOTE_REQUANTIZE(sum, tie)        \
  "slli " sum ", " sum ", 2\n"           \
  "mulh " sum ", " sum ", t0\n" tie(sum) \
  "add " sum ", " sum ", t3\n"           \
  "sra " sum ", " sum ", t1\n"           \
  "bge " sum ", %[values], 2f\n"         \
  "mv " sum ", %[values]\n2:\n"          \
  "ble " sum ", %[end], 2f\n"            \
  "mv " sum ", %[end]\n2:\n"             \
  "sb " sum ", 0(t5)\n"                  \
  "add t5, t5, t6\n"
#define MOTE_TIE(sum)     \
  "srai t4, " sum ", 31\n" \
  "andi t4, t4, -2\n"      \
  "add " sum ", " sum ", t4\n"
#define MOTE_PERHAPS_TIE(sum) \
  "srai t4, " sum ", 31\n"     \
  "and t4, t4, %[weights]\n"   \
  "add " sum ", " sum ", t4\n"
#define MOTE_NO_TIE(sum)
// What the outputs of a channel need.
#define MOTE_FIND(multiplier, index) \
  "lw t0, %[scales](%[frame])\n"     \
  "lw t1, %[shift](%[frame])\n"      \
  "lw t0, " multiplier "(t0)\n"      \
  "lbu t1, " index "(t1)\n"          \
  "lw t5, %[out](%[frame])\n"        \
  "addi t5, t5, " index "\n"
#define MOTE_FOUR(twice_zero, tie, pixel0, pixel1, pixel2, pixel3)             \
  "addi t3, t1, -1\n"                                                          \
  "sll t3, " twice_zero ", t3\n"                                               \
  "addi t3, t3, 1\n" MOTE_REQUANTIZE(pixel0, tie) MOTE_REQUANTIZE(pixel1, tie) \
      MOTE_REQUANTIZE(pixel2, tie) MOTE_REQUANTIZE(pixel3, tie)
#define MOTE_UNLESS_DONE(channels) \
  "lw t0, %[left](%[frame])\n"     \
  "addi t0, t0, -" channels "\n"   \
  "blez t0, 3f\n"
#define MOTE_LIMITS                    \
  "lw t6, %[stride](%[frame])\n"       \
  "lw %[weights], %[ties](%[frame])\n" \
  "lw %[values], %[low](%[frame])\n"   \
  "lw %[end], %[high](%[frame])\n"
#if MOTE_OPTIMIZE == 1
// The same instructions for all four channels: half the bytes, and 1.5 instructions more an output.
#define MOTE_CHANNEL(multiplier, index, pixel0, pixel1, pixel2, pixel3)             \
  MOTE_FIND(multiplier, index)                                                      \
  "mv a6, " pixel0 "\n mv s4, " pixel1 "\n mv s8, " pixel2 "\n mv a2, " pixel3 "\n" \
  "jal t2, 4f\n"
#define MOTE_OUTPUTS(tie)                                                         \
  MOTE_LIMITS MOTE_FIND("4", "0")                                                 \
  "jal t2, 4f\n" MOTE_UNLESS_DONE("1")                                            \
  MOTE_CHANNEL("12", "1", "s1", "s5", "s9", "a3") MOTE_UNLESS_DONE("2")           \
  MOTE_CHANNEL("20", "2", "s2", "s6", "s10", "a4") MOTE_UNLESS_DONE("3")          \
  MOTE_CHANNEL("28", "3", "s3", "s7", "s11", "a5")                                \
  "j 3f\n4:\n"                                                                    \
  "lw t4, %[twice_zero](%[frame])\n" MOTE_FOUR("t4", tie, "a6", "s4", "s8", "a2") \
  "jr t2\n3:\n"
#else
#define MOTE_CHANNEL(multiplier, index, tie, pixel0, pixel1, pixel2, pixel3) \
  MOTE_FIND(multiplier, index) MOTE_FOUR("t2", tie, pixel0, pixel1, pixel2, pixel3)
#define MOTE_OUTPUTS(tie)                                                     \
  "lw t2, %[twice_zero](%[frame])\n" MOTE_LIMITS                              \
  MOTE_CHANNEL("4", "0", tie, "a6", "s4", "s8", "a2") MOTE_UNLESS_DONE("1")   \
  MOTE_CHANNEL("12", "1", tie, "s1", "s5", "s9", "a3") MOTE_UNLESS_DONE("2")  \
  MOTE_CHANNEL("20", "2", tie, "s2", "s6", "s10", "a4") MOTE_UNLESS_DONE("3") \
  MOTE_CHANNEL("28", "3", tie, "s3", "s7", "s11", "a5") "3:\n"
#endif

namespace nn {

#define MOTE_MULTIPLY(two_taps)                                                                                       \
  const struct {                                                                                                      \
    const int32_t* scales;                                                                                            \
    int32_t* sums;                                                                                                    \
  } frame{scales, sums};                                                                                              \
  __asm__ volatile(MOTE_SUMS("0(%[frame])", two_taps)                                                                 \
                   "lw %[weights], 4(%[frame])\n"                                                                     \
                   "sw a6, 0(%[weights])\n sw s4, 4(%[weights])\n sw s8, 8(%[weights])\n sw a2, 12(%[weights])\n"     \
                   "sw s1, 16(%[weights])\n sw s5, 20(%[weights])\n sw s9, 24(%[weights])\n sw a3, 28(%[weights])\n"  \
                   "sw s2, 32(%[weights])\n sw s6, 36(%[weights])\n sw s10, 40(%[weights])\n sw a4, 44(%[weights])\n" \
                   "sw s3, 48(%[weights])\n sw s7, 52(%[weights])\n sw s11, 56(%[weights])\n sw a5, 60(%[weights])\n" \
                   : [values] "+&r"(values), [weights] "+&r"(weights)                                                 \
                   : [end] "r"(end), [frame] "r"(&frame)                                                              \
                   : MOTE_CLOBBERED)

// As in nn/multiply_4x4.hpp.
MOTE_KERNEL void multiply_4x4(const int8_t* values, const int8_t* end, const int8_t* weights,
                              const int32_t* scales, int32_t* sums) {
  MOTE_MULTIPLY(MOTE_BYTES);
}
MOTE_KERNEL void multiply_4x4(const int16_t* values, const int16_t* end, const int8_t* weights,
                              const int32_t* scales, int32_t* sums) {
  MOTE_MULTIPLY(MOTE_HALVES);
}

#if MOTE_OPTIMIZE > 0
#define MOTE_OUTPUTS_4X4
// What the assembly has no registers for.
struct Outputs4x4 {
  const int32_t* scales;
  const uint8_t* shift;
  int8_t* out;
  int32_t left, stride, twice_zero, low, high, ties;
};
#define MOTE_FIELD(name) [name] "i"(offsetof(Outputs4x4, name))
#define MOTE_ASSEMBLY(tie)                                                                              \
  __asm__ volatile(MOTE_SUMS("%[scales](%[frame])", MOTE_BYTES) MOTE_OUTPUTS(tie)                                   \
                   : [values] "+&r"(values), [weights] "+&r"(weights), [end] "+&r"(end)                 \
                   : [frame] "r"(&frame), MOTE_FIELD(scales), MOTE_FIELD(shift), MOTE_FIELD(out),       \
                     MOTE_FIELD(left), MOTE_FIELD(stride), MOTE_FIELD(twice_zero), MOTE_FIELD(low),     \
                     MOTE_FIELD(high), MOTE_FIELD(ties)                                                 \
                   : MOTE_CLOBBERED)
// As in nn/multiply_4x4.hpp.
MOTE_KERNEL void outputs_4x4(const Outputs& p, const int8_t* values, const int8_t* end,
                             const PackedConstants& packed, int32_t left, int8_t* out) {
  const int8_t* weights = packed.weights;
  const Outputs4x4 frame{packed.scales, packed.shift,   out,   left,   p.channels,
                         2 * p.zero + 1, p.low, p.high, ((p.low - p.zero) >> 31) & -2};
#if MOTE_OPTIMIZE == 1
  MOTE_ASSEMBLY(MOTE_PERHAPS_TIE);  // without a branch, which would double the loop
#else
  if (frame.ties != 0) {
    MOTE_ASSEMBLY(MOTE_TIE);
  } else {
    MOTE_ASSEMBLY(MOTE_NO_TIE);
  }
#endif
}
#undef MOTE_FIELD
#undef MOTE_ASSEMBLY
#endif

}  // namespace nn

#undef MOTE_OUTPUTS
#undef MOTE_CHANNEL
#undef MOTE_LIMITS
#undef MOTE_UNLESS_DONE
#undef MOTE_FOUR
#undef MOTE_FIND
#undef MOTE_NO_TIE
#undef MOTE_PERHAPS_TIE
#undef MOTE_TIE
#undef MOTE_REQUANTIZE
#undef MOTE_MULTIPLY
#undef MOTE_CLOBBERED
#undef MOTE_SUMS
#undef MOTE_HALVES
#undef MOTE_BYTES
#undef MOTE_STEP
#undef MOTE_LOAD
#undef MOTE_ROW
