// SPDX-License-Identifier: Apache-2.0
// One row of a depthwise 3x3 convolution on RV32IM: about 4 instructions per multiply-accumulate with stride 1,
// the requantisation included.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nn/fixed.hpp"

// Compilers run out of registers here. The weights are in t0 to t3, a6 and s1 to s4, the bias in s5, the sums under way
// in s6 and s7, a column in a2 to a4; s8 and s9 are the outputs' limits, s10 and a7 the ways to the second row and the
// third, s11 to the next column (s0 stays free: it may be the frame pointer). `in` and `out` are a byte ahead. What is
// loaded from the row goes to a2 to a5 where it can: those have short instructions.
#define MOTE_COLUMN                  \
  "lb a2, -1(%[in])\n"               \
  "add a3, %[in], s10\n"             \
  "add a4, %[in], a7\n"              \
  "lb a3, -1(a3)\n"                  \
  "lb a4, -1(a4)\n"                  \
  "add %[in], %[in], s11\n"
// A column times weights, of which the product with the first is there.
#define MOTE_DOT(sum, middle, bottom) \
  "mul a5, a3, " middle "\n"         \
  "add " sum ", " sum ", a5\n"       \
  "mul a5, a4, " bottom "\n"         \
  "add " sum ", " sum ", a5\n"
#define MOTE_START(sum, start, top)  \
  "mul " sum ", a2, " top "\n"       \
  "add " sum ", " sum ", " start "\n"
#define MOTE_GO_ON(top)              \
  "mul a5, a2, " top "\n"            \
  "add s6, s6, a5\n"
#define MOTE_LEFT(sum) MOTE_START(sum, "s5", "t0") MOTE_DOT(sum, "t3", "s2")
#define MOTE_MIDDLE MOTE_GO_ON("t1") MOTE_DOT("s6", "a6", "s3")
#define MOTE_MIDDLE_OF_NEXT MOTE_START("s6", "s7", "t1") MOTE_DOT("s6", "a6", "s3")
#define MOTE_RIGHT MOTE_GO_ON("t2") MOTE_DOT("s6", "s1", "s4")
// A column that lies outside where the word `outside` says so.
#define MOTE_EDGE(outside)            \
  "lw a2, %[in_zero](%[row])\n"      \
  "lw a5, " outside "(%[row])\n"     \
  "mv a3, a2\n"                      \
  "mv a4, a2\n"                      \
  "bnez a5, 1f\n" MOTE_COLUMN "1:\n"
// Requantize of s6: t4 multiplier, t5 offset, t6 shift.
#define MOTE_OUTPUT                \
  "slli s6, s6, 2\n"               \
  "mulh s6, s6, t4\n"              \
  "bgez s6, 5f\n"                  \
  "lw a5, %[ties](%[row])\n"       \
  "add s6, s6, a5\n5:\n"          \
  "add s6, s6, t5\n"               \
  "sra s6, s6, t6\n"               \
  "bge s6, s8, 5f\n"               \
  "mv s6, s8\n5:\n"                \
  "ble s6, s9, 5f\n"               \
  "mv s6, s9\n5:\n"                \
  "sb s6, -1(%[out])\n"            \
  "add %[out], %[out], s11\n"
// Loads a pointer of the row, `step` bytes further, and leaves it there.
#define MOTE_TAKE(target, pointer, step)   \
  "lw " target ", " pointer "(%[row])\n"   \
  "addi " target ", " target ", " step "\n" \
  "sw " target ", " pointer "(%[row])\n"
#define MOTE_NEXT_UNLESS_LAST(target) \
  "lw a5, %[end](%[row])\n"           \
  "bne %[in], a5, " target "\n"
// All outputs of a channel. The sign of t6 says that the stride is two.
#if MOTE_OPTIMIZE > 0
#define MOTE_OUTPUTS                                                                     \
  MOTE_EDGE("%[first_outside]") MOTE_LEFT("s6") MOTE_COLUMN MOTE_MIDDLE MOTE_LEFT("s7")  \
  "lw a5, %[end](%[row])\n"                                                              \
  "beq %[in], a5, 4f\n"                                                                  \
  "bltz t6, 3f\n"                                                                        \
  "1:\n" MOTE_COLUMN MOTE_RIGHT MOTE_OUTPUT MOTE_MIDDLE_OF_NEXT MOTE_LEFT("s7")          \
  MOTE_NEXT_UNLESS_LAST("1b")                                                            \
  "j 4f\n"                                                                               \
  "3:\n" MOTE_COLUMN MOTE_RIGHT MOTE_OUTPUT MOTE_LEFT("s7") MOTE_COLUMN                  \
  MOTE_MIDDLE_OF_NEXT MOTE_NEXT_UNLESS_LAST("3b")                                        \
  "4:\n" MOTE_EDGE("%[last_outside]") MOTE_RIGHT MOTE_OUTPUT
#else  // one loop for both strides; with a stride of two the last sum of its body counts for nothing
#define MOTE_OUTPUTS                                                                     \
  MOTE_EDGE("%[first_outside]")                                                          \
  "j 3f\n"                                                                               \
  "2:\n" MOTE_COLUMN MOTE_RIGHT MOTE_OUTPUT                                              \
  "bgez t6, 4f\n"                                                                        \
  "3:\n" MOTE_LEFT("s7") MOTE_COLUMN                                                     \
  "4:\n" MOTE_MIDDLE_OF_NEXT MOTE_LEFT("s7") MOTE_NEXT_UNLESS_LAST("2b")                 \
  MOTE_EDGE("%[last_outside]") MOTE_RIGHT MOTE_OUTPUT
#endif
#define MOTE_FIELD(name) [name] "i"(offsetof(DepthwiseChannelRow, name))

namespace nn {

// As in nn/depthwise_channels_3x3.hpp.
MOTE_SHARED void depthwise_channels_3x3(DepthwiseChannelRow& r) {
  const int8_t* in;
  int8_t* out;
  r.ties = r.low < r.zero ? -2 : 0;
  r.span = (r.inner * r.stride + 2 - r.first_outside) * r.channels;
  r.two = r.stride == 1 ? 0 : INT32_MIN;
  __asm__ volatile(
      "lw s8, %[low](%[row])\n"
      "lw s9, %[high](%[row])\n"
      "lw s10, %[second](%[row])\n"
      "lw a7, %[third](%[row])\n"
      "lw s11, %[channels](%[row])\n"
      "0:\n"
      MOTE_TAKE("a3", "%[weights]", "9")
      "lb t0, -9(a3)\n"
      "lb t1, -8(a3)\n"
      "lb t2, -7(a3)\n"
      "lb t3, -6(a3)\n"
      "lb a6, -5(a3)\n"
      "lb s1, -4(a3)\n"
      "lb s2, -3(a3)\n"
      "lb s3, -2(a3)\n"
      "lb s4, -1(a3)\n" MOTE_TAKE("a4", "%[scales]", "8")
      "lw s5, -8(a4)\n"
      "lw t4, -4(a4)\n"
      "lw a5, %[uncovered](%[row])\n"
      "beqz a5, 3f\n"
      "bgtz a5, 1f\n"  // The bias counts the window's row outside as in_zero.
      "addi a3, a3, 12\n"
      "li t0, 0\n"
      "li t1, 0\n"
      "li t2, 0\n"
      "j 2f\n1:\n"
      "li s2, 0\n"
      "li s3, 0\n"
      "li s4, 0\n2:\n"
      "lb a2, -12(a3)\n"
      "lb a4, -11(a3)\n"
      "lb a3, -10(a3)\n"
      "add a2, a2, a4\n"
      "add a2, a2, a3\n"
      "lw a3, %[in_zero](%[row])\n"
      "mul a2, a2, a3\n"
      "add s5, s5, a2\n3:\n" MOTE_TAKE("a3", "%[shift]", "1")
      "lbu t6, -1(a3)\n"
      "lw t5, %[zero](%[row])\n"
      "addi a3, t6, -1\n"
      "slli t5, t5, 1\n"
      "addi t5, t5, 1\n"
      "sll t5, t5, a3\n"
      "addi t5, t5, 1\n"
      "lw a5, %[two](%[row])\n"
      "add t6, t6, a5\n" MOTE_TAKE("%[in]", "%[from]", "1") MOTE_TAKE("%[out]", "%[to]", "1")
      "lw a5, %[span](%[row])\n"
      "add a5, a5, %[in]\n"
      "sw a5, %[end](%[row])\n" MOTE_OUTPUTS
      "lw a2, %[channels](%[row])\n"
      "addi a2, a2, -1\n"
      "sw a2, %[channels](%[row])\n"
      "bnez a2, 0b\n"
      : [in] "=&r"(in), [out] "=&r"(out)
      : [row] "r"(&r), [from] "i"(offsetof(DepthwiseChannelRow, in)), [to] "i"(offsetof(DepthwiseChannelRow, out)),
        MOTE_FIELD(weights), MOTE_FIELD(scales), MOTE_FIELD(shift), MOTE_FIELD(channels), MOTE_FIELD(uncovered),
        MOTE_FIELD(second), MOTE_FIELD(third), MOTE_FIELD(first_outside), MOTE_FIELD(last_outside),
        MOTE_FIELD(in_zero), MOTE_FIELD(two), MOTE_FIELD(zero), MOTE_FIELD(low), MOTE_FIELD(high),
        MOTE_FIELD(ties), MOTE_FIELD(span), MOTE_FIELD(end)
      : "memory", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a2", "a3", "a4", "a5", "a6", "a7", "s1", "s2", "s3",
        "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
}

}  // namespace nn

#undef MOTE_FIELD
#undef MOTE_OUTPUTS
#undef MOTE_NEXT_UNLESS_LAST
#undef MOTE_TAKE
#undef MOTE_OUTPUT
#undef MOTE_EDGE
#undef MOTE_RIGHT
#undef MOTE_MIDDLE_OF_NEXT
#undef MOTE_MIDDLE
#undef MOTE_LEFT
#undef MOTE_GO_ON
#undef MOTE_START
#undef MOTE_DOT
#undef MOTE_COLUMN
