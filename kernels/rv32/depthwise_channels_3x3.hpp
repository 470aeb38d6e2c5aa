// SPDX-License-Identifier: Apache-2.0
// One row of a depthwise 3x3 convolution on RV32IM: about 4 instructions per multiply-accumulate with stride 1,
// the requantisation included.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nn/fixed.hpp"

// Compilers run out of registers here. The weights are in a2 to a6 and s1 to s4, the bias in s5, the sums under way in
// s6 and s7, a column in t0 to t2; s8 and s9 are the outputs' limits, s10 and a7 the ways to the second row and the
// third, s11 to the next column (s0 stays free: it may be the frame pointer).
#define MOTE_COLUMN                  \
  "lb t0, 0(%[in])\n"                \
  "add t1, %[in], s10\n"             \
  "add t2, %[in], a7\n"              \
  "lb t1, 0(t1)\n"                   \
  "lb t2, 0(t2)\n"                   \
  "add %[in], %[in], s11\n"
#define MOTE_DOT(sum, start, top, middle, bottom) \
  "mul t3, t0, " top "\n"                         \
  "add " sum ", " start ", t3\n"                  \
  "mul t3, t1, " middle "\n"                      \
  "add " sum ", " sum ", t3\n"                    \
  "mul t3, t2, " bottom "\n"                      \
  "add " sum ", " sum ", t3\n"
#define MOTE_LEFT(sum, start) MOTE_DOT(sum, start, "a2", "a5", "s2")
#define MOTE_MIDDLE(sum, start) MOTE_DOT(sum, start, "a3", "a6", "s3")
#define MOTE_RIGHT(sum, start) MOTE_DOT(sum, start, "a4", "s1", "s4")
// A column that lies outside where the word `outside` says so.
#define MOTE_EDGE(outside)            \
  "lw t0, %[in_zero](%[row])\n"      \
  "lw t3, " outside "(%[row])\n"     \
  "mv t1, t0\n"                      \
  "mv t2, t0\n"                      \
  "bnez t3, 1f\n" MOTE_COLUMN "1:\n"
// Requantize of s6: t4 multiplier, t5 offset, t6 shift.
#define MOTE_OUTPUT                \
  "slli s6, s6, 2\n"               \
  "mulh s6, s6, t4\n"              \
  "bgez s6, 5f\n"                  \
  "lw t3, %[ties](%[row])\n"       \
  "add s6, s6, t3\n5:\n"          \
  "add s6, s6, t5\n"               \
  "sra s6, s6, t6\n"               \
  "bge s6, s8, 5f\n"               \
  "mv s6, s8\n5:\n"                \
  "ble s6, s9, 5f\n"               \
  "mv s6, s9\n5:\n"                \
  "sb s6, 0(%[out])\n"             \
  "add %[out], %[out], s11\n"
// Loads a pointer of the row and leaves it `step` bytes further.
#define MOTE_TAKE(target, pointer, step)   \
  "lw " target ", " pointer "(%[row])\n"   \
  "addi t0, " target ", " step "\n"        \
  "sw t0, " pointer "(%[row])\n"
#define MOTE_FIELD(name) [name] "i"(offsetof(DepthwiseChannelRow, name))

namespace nn {

// As in nn/depthwise_channels_3x3.hpp.
MOTE_SHARED void depthwise_channels_3x3(DepthwiseChannelRow& r) {
  const int8_t* in;
  int8_t* out;
  r.ties = r.low < r.zero ? -2 : 0;
  r.span = r.inner * r.stride * r.channels;
  __asm__ volatile(
      "lw s8, %[low](%[row])\n"
      "lw s9, %[high](%[row])\n"
      "lw s10, %[second](%[row])\n"
      "lw a7, %[third](%[row])\n"
      "lw s11, %[channels](%[row])\n"
      "0:\n"
      MOTE_TAKE("t1", "%[weights]", "9")
      "lb a2, 0(t1)\n"
      "lb a3, 1(t1)\n"
      "lb a4, 2(t1)\n"
      "lb a5, 3(t1)\n"
      "lb a6, 4(t1)\n"
      "lb s1, 5(t1)\n"
      "lb s2, 6(t1)\n"
      "lb s3, 7(t1)\n"
      "lb s4, 8(t1)\n" MOTE_TAKE("t2", "%[scales]", "8")
      "lw s5, 0(t2)\n"
      "lw t4, 4(t2)\n"
      "lw t5, %[uncovered](%[row])\n"
      "beqz t5, 3f\n"
      "bgtz t5, 1f\n"  // The bias counts the window's row outside as in_zero.
      "addi t1, t1, 12\n"
      "li a2, 0\n"
      "li a3, 0\n"
      "li a4, 0\n"
      "j 2f\n1:\n"
      "li s2, 0\n"
      "li s3, 0\n"
      "li s4, 0\n2:\n"
      "lb t0, -3(t1)\n"
      "lb t2, -2(t1)\n"
      "lb t1, -1(t1)\n"
      "add t0, t0, t2\n"
      "add t0, t0, t1\n"
      "lw t1, %[in_zero](%[row])\n"
      "mul t0, t0, t1\n"
      "add s5, s5, t0\n3:\n" MOTE_TAKE("t1", "%[shift]", "1")
      "lbu t6, 0(t1)\n"
      "lw t5, %[zero](%[row])\n"
      "addi t1, t6, -1\n"
      "slli t5, t5, 1\n"
      "addi t5, t5, 1\n"
      "sll t5, t5, t1\n"
      "addi t5, t5, 1\n" MOTE_TAKE("%[in]", "%[from]", "1") MOTE_TAKE("%[out]", "%[to]", "1")
      MOTE_EDGE("%[first_outside]") MOTE_LEFT("s6", "s5") MOTE_COLUMN MOTE_MIDDLE("s6", "s6") MOTE_LEFT("s7", "s5")
      "lw t3, %[span](%[row])\n"
      "beqz t3, 4f\n"
      "add t3, t3, %[in]\n"
      "sw t3, %[end](%[row])\n"
      "lw t3, %[stride](%[row])\n"
      "addi t3, t3, -1\n"
      "bnez t3, 3f\n"
      "1:\n" MOTE_COLUMN MOTE_RIGHT("s6", "s6") MOTE_OUTPUT MOTE_MIDDLE("s6", "s7") MOTE_LEFT("s7", "s5")
      "lw t3, %[end](%[row])\n"
      "bne %[in], t3, 1b\n"
      "j 4f\n"
      "3:\n" MOTE_COLUMN MOTE_RIGHT("s6", "s6") MOTE_OUTPUT MOTE_LEFT("s7", "s5") MOTE_COLUMN MOTE_MIDDLE("s6", "s7")
      "lw t3, %[end](%[row])\n"
      "bne %[in], t3, 3b\n"
      "4:\n" MOTE_EDGE("%[last_outside]") MOTE_RIGHT("s6", "s6") MOTE_OUTPUT
      "lw t0, %[channels](%[row])\n"
      "addi t0, t0, -1\n"
      "sw t0, %[channels](%[row])\n"
      "bnez t0, 0b\n"
      : [in] "=&r"(in), [out] "=&r"(out)
      : [row] "r"(&r), [from] "i"(offsetof(DepthwiseChannelRow, in)), [to] "i"(offsetof(DepthwiseChannelRow, out)),
        MOTE_FIELD(weights), MOTE_FIELD(scales), MOTE_FIELD(shift), MOTE_FIELD(channels), MOTE_FIELD(uncovered),
        MOTE_FIELD(second), MOTE_FIELD(third), MOTE_FIELD(first_outside), MOTE_FIELD(last_outside),
        MOTE_FIELD(in_zero), MOTE_FIELD(stride), MOTE_FIELD(zero), MOTE_FIELD(low), MOTE_FIELD(high),
        MOTE_FIELD(ties), MOTE_FIELD(span), MOTE_FIELD(end)
      : "memory", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a2", "a3", "a4", "a5", "a6", "a7", "s1", "s2", "s3",
        "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
}

}  // namespace nn

#undef MOTE_FIELD
#undef MOTE_TAKE
#undef MOTE_OUTPUT
#undef MOTE_EDGE
#undef MOTE_RIGHT
#undef MOTE_MIDDLE
#undef MOTE_LEFT
#undef MOTE_DOT
#undef MOTE_COLUMN
