// SPDX-License-Identifier: Apache-2.0
// One row of taps of four pixels on RV32IM: 4.75 instructions per multiply-accumulate.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// As in nn/depthwise_conv2d.hpp. Compilers keep some of the sums and distances in memory.
MOTE_KERNEL void depthwise_taps(const DepthwiseValues& at, const int8_t* value, const int8_t* weights, int32_t count,
                                int32_t& sum0, int32_t& sum1, int32_t& sum2, int32_t& sum3) {
  int32_t weight, a, b;
  __asm__ volatile(
      "1:\n"
      "lb %[weight], 0(%[weights])\n"
      "lb %[a], 0(%[value])\n"
      "add %[b], %[value], %[pixel1]\n"
      "lb %[b], 0(%[b])\n"
      "mul %[a], %[a], %[weight]\n"
      "add %[sum0], %[sum0], %[a]\n"
      "add %[a], %[value], %[pixel2]\n"
      "lb %[a], 0(%[a])\n"
      "mul %[b], %[b], %[weight]\n"
      "add %[sum1], %[sum1], %[b]\n"
      "add %[b], %[value], %[pixel3]\n"
      "lb %[b], 0(%[b])\n"
      "mul %[a], %[a], %[weight]\n"
      "add %[sum2], %[sum2], %[a]\n"
      "mul %[b], %[b], %[weight]\n"
      "add %[sum3], %[sum3], %[b]\n"
      "add %[value], %[value], %[tap]\n"
      "addi %[weights], %[weights], 1\n"
      "bne %[weights], %[end], 1b\n"
      : [value] "+&r"(value), [weights] "+&r"(weights), [sum0] "+&r"(sum0), [sum1] "+&r"(sum1), [sum2] "+&r"(sum2),
        [sum3] "+&r"(sum3), [weight] "=&r"(weight), [a] "=&r"(a), [b] "=&r"(b)
      : [end] "r"(weights + count), [pixel1] "r"(at.pixel1), [pixel2] "r"(at.pixel2), [pixel3] "r"(at.pixel3),
        [tap] "r"(at.tap)
      : "memory");
}

}  // namespace nn
