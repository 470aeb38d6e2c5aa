// SPDX-License-Identifier: Apache-2.0
// Sums of products of four pixels with four channels, the innermost loops of the convolutions.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

// sums[4 * channel + pixel] = scales[2 * channel] + sum over k of values[4 * k + pixel] * weights[4 * k +
// channel], for the k with values + 4 * k < end, rounded up to an even number of them, at least two.
#if defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul) && !defined(__riscv_32e)
#include "rv32/multiply_4x4.hpp"
#else

namespace nn {

// Two by two at a time: that is what the registers of most cores hold.
MOTE_KERNEL void multiply_4x4(const int8_t* values, const int8_t* end, const int8_t* weights,
                              const int32_t* scales, int32_t* sums) {
  for (int32_t block = 0; block < 4; ++block) {
    const int32_t pixel = block & 2;
    const int32_t channel = (block & 1) * 2;
    int32_t sum00 = scales[2 * channel], sum01 = sum00;
    int32_t sum10 = scales[2 * channel + 2], sum11 = sum10;
    const int8_t* value = values + pixel;
    const int8_t* weight = weights + channel;
    do {
      for (int32_t k = 0; k < 8; k += 4) {
        const int32_t value0 = value[k], value1 = value[k + 1], weight0 = weight[k], weight1 = weight[k + 1];
        sum00 += value0 * weight0, sum01 += value1 * weight0;
        sum10 += value0 * weight1, sum11 += value1 * weight1;
      }
      value += 8;
      weight += 8;
    } while (value < end);
    int32_t* const target = sums + 4 * channel + pixel;
    target[0] = sum00, target[1] = sum01;
    target[4] = sum10, target[5] = sum11;
  }
}

}  // namespace nn
#endif
