// SPDX-License-Identifier: Apache-2.0
// 1 / sqrt of an integer in fixed point, bit for bit as TensorFlow Lite has it.
#pragma once

#include "nn/fixed_exp.hpp"

namespace nn {

struct InverseSqrt {
  int32_t multiplier, shift;  // 1 / sqrt(n) = multiplier / 2^31 * 2^shift
};

// Five steps of Newton and Raphson from 1, on n scaled by a power of four into [1/4, 1) with 3 integer bits.
MOTE_KERNEL InverseSqrt inverse_sqrt(int32_t n) {
  if (n <= 1) return {INT32_MAX, 0};
  int32_t right_shift = 11;
  for (; n >= (1 << 29); n /= 4) ++right_shift;
  for (; n < (1 << 27); n *= 4) --right_shift;
  const int32_t x = n >> 1;
  const int32_t half_x = rounding_divide_by_power_of_two(x, 1);
  constexpr int32_t three_halves = (1 << 28) + (1 << 27), half_sqrt_2 = 1518500250;
  int32_t y = 1 << 28;
  for (int step = 0; step < 5; ++step) {
    const int32_t cube = saturating_shift_left(multiply_fractions(multiply_fractions(y, y), y), 6);
    y = saturating_shift_left(multiply_fractions(three_halves, y) - multiply_fractions(half_x, cube), 3);
  }
  y = multiply_fractions(y, half_sqrt_2);
  if (right_shift < 0) {
    y = static_cast<int32_t>(static_cast<uint32_t>(y) << -right_shift);
    right_shift = 0;
  }
  return {y, -right_shift};
}

}  // namespace nn
