// SPDX-License-Identifier: Apache-2.0
// Requantisation of sums whose range was proven on the host: the same result in fewer instructions.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// Equals clamp(out_zero + multiply_by_quantized_multiplier(sum, multiplier, 1 - shift), low, high) for shift from
// 2 on, when 4 * sum and every step below fit 32 bits. With s = shift - 1, gemmlowp's two roundings are
//   t = floor(sum * multiplier / 2^30)     r = floor((t + 1) / 2)     floor((r + 2^(s-1) - (r < 0)) / 2^s)
// and nested floors of halves join: floor((t + 1 + 2^s - 2 * (t < 0)) / 2^(s+1)); t = -1, the one t < 0 with r =
// 0, gives 0 either way. `offset` is 1 + 2^s + out_zero * 2^(s+1). The term of t < 0 matters only at results below
// out_zero: it is left out when `low` cuts those off.
struct Requantize {
  int32_t multiplier, offset, shift;

  MOTE_KERNEL Requantize(int32_t channel_multiplier, int32_t channel_shift, int32_t out_zero)
      : multiplier(channel_multiplier),
        offset((2 * out_zero + 1) * (1 << (channel_shift - 1)) + 1),
        shift(channel_shift) {}

  MOTE_KERNEL int8_t operator()(int32_t sum, int32_t out_zero, int32_t low, int32_t high) const {
    const int32_t product = high_product(sum * 4, multiplier);
    const int32_t tie = low >= out_zero ? 0 : (product >> 31) * 2;
    return static_cast<int8_t>(clamp((product + offset + tie) >> shift, low, high));
  }
};

// Equals multiply_by_reduced_multiplier(x, m, shift) for x of 32 bits and shift from -18 to -2, when `multiplier`
// is the reduced 16 bits of m times 2^(18 + shift): floor(x * multiplier / 2^32) is floor(2 x m 2^shift), and
// nested floors of halves join.
MOTE_KERNEL int32_t halved_high_product(int32_t x, int32_t multiplier) {
  return (high_product(x, multiplier) + 1) >> 1;
}

}  // namespace nn
