// SPDX-License-Identifier: Apache-2.0
// The sums of nn/four_rows.hpp in Arm's M-profile vector instructions: 10 instructions for 64 products.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

// One row of weights; VMLADAVA adds to registers with even numbers.
#define MOTE_VECTOR_ROW(sum, step)                  \
  "vldrb.u8 q1, [%[weights]]" step                 \
  "vmladava.s8 %[" sum "], q0, q1\n"
#define MOTE_VECTOR_ROWS(step)                                                  \
  MOTE_VECTOR_ROW("sum0", step) MOTE_VECTOR_ROW("sum1", step)                   \
  MOTE_VECTOR_ROW("sum2", step) MOTE_VECTOR_ROW("sum3", step)

namespace nn {

struct VectorRows {
  MOTE_SHARED const int8_t* multiply(const int8_t* values, int32_t taps, const int8_t* weights,
                                            const int32_t* starts, int32_t* sums) {
    MOTE_HAS_EFFECTS;
    register int32_t sum0 __asm__("r0") = starts[0];
    register int32_t sum1 __asm__("r2") = starts[2];
    register int32_t sum2 __asm__("r4") = starts[4];
    register int32_t sum3 __asm__("r6") = starts[6];
    register const int8_t* value __asm__("r1") = values;
    register const int8_t* weight __asm__("r3") = weights;
    const int32_t tail = taps & 15, step = (tail + 3) & ~3;
    __asm__ volatile(
        "wls lr, %[chunks], 2f\n"
        "1:\n"
        "vldrb.u8 q0, [%[values]], #16\n" MOTE_VECTOR_ROWS(", #16\n")
        "le lr, 1b\n"
        "2:\n"
        "cmp %[tail], #0\n"
        "beq 3f\n"
        "vctp.8 %[tail]\n"
        "vpst\n vldrbt.u8 q0, [%[values]]\n" MOTE_VECTOR_ROWS("\n add %[weights], %[weights], %[step]\n")
        "3:\n"
        : [sum0] "+r"(sum0), [sum1] "+r"(sum1), [sum2] "+r"(sum2), [sum3] "+r"(sum3), [values] "+r"(value),
          [weights] "+r"(weight)
        : [chunks] "r"(taps >> 4), [tail] "r"(tail), [step] "r"(step)
        : "memory", "cc", "q0", "q1", "lr");
    sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
    return weight;
  }
};

}  // namespace nn

#undef MOTE_VECTOR_ROWS
#undef MOTE_VECTOR_ROW
