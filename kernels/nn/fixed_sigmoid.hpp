// SPDX-License-Identifier: Apache-2.0
// Sigmoid and tanh in 16-bit fixed point: TensorFlow Lite's table with linear interpolation, bit for bit.
//
// The table holds sigmoid(i / 24) in Q0.16 for i = 0 to 255 (src/ops/sigmoid_table.hpp); both functions are odd
// about their middle, and tanh(x) = 2 sigmoid(2x) - 1.
#pragma once

#include <stdint.h>

namespace nn {

// Table value at |x| * 2^-bits, times 2^bits; beyond the table the largest value of Q0.16, or its half.
inline __attribute__((noinline)) uint32_t interpolate_sigmoid(const uint16_t* table, uint32_t x, int bits,
                                                              uint32_t beyond) {
  const uint32_t index = x >> bits;
  if (index >= 255) return beyond;
  const uint32_t low = table[index], high = table[index + 1];
  return (low << bits) + (x & ((uint32_t{1} << bits) - 1)) * (high - low);
}

// Q0.15 of x * 3 in Q4.12 * 3.
inline __attribute__((noinline)) int16_t table_sigmoid(const uint16_t* table, int32_t x_times_3) {
  const auto magnitude = static_cast<uint32_t>(x_times_3 < 0 ? -x_times_3 : x_times_3);
  const uint32_t value = interpolate_sigmoid(table, magnitude, 9, uint32_t{0x7FFF} << 10);
  const uint32_t folded = x_times_3 < 0 ? (1u << 25) - value + (1u << 9) - 1 : value + (1u << 9);
  return static_cast<int16_t>(folded >> 10);
}

// The same for tanh.
inline __attribute__((noinline)) int16_t table_tanh(const uint16_t* table, int32_t x_times_3) {
  const auto magnitude = static_cast<uint32_t>(x_times_3 < 0 ? -x_times_3 : x_times_3);
  const auto value = static_cast<int32_t>(interpolate_sigmoid(table, magnitude, 8, uint32_t{0xFFFF} << 8));
  constexpr int32_t middle = 1 << 23, half = 1 << 7;
  const int32_t folded = x_times_3 < 0 ? middle + half - 1 - value : value - middle + half;
  return static_cast<int16_t>(folded >> 8);
}

}  // namespace nn
