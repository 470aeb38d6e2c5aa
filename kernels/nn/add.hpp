// SPDX-License-Identifier: Apache-2.0
// Element-wise sum of two tensors, with broadcasting.
#pragma once

#include "nn/broadcast.hpp"
#include "nn/float_math.hpp"

namespace nn {

struct Add {
  int32_t count;                          // elements; rows of the table when broadcasting
  int32_t zero_a, multiplier_a, shift_a;  // shifts are 0 or negative
  int32_t zero_b, multiplier_b, shift_b;
  int32_t zero, multiplier, shift;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("zero_a", zero_a);
    f("multiplier_a", multiplier_a);
    f("shift_a", shift_a);
    f("zero_b", zero_b);
    f("multiplier_b", multiplier_b);
    f("shift_b", shift_b);
    f("zero", zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("low", low);
    f("high", high);
  }
};

// value * 2^20 * multiplier / 2^31 * 2^shift with both roundings of multiply_by_quantized_multiplier, for a value
// of 9 bits and a shift of 0 or less. Two 32-bit products stand for the 64-bit one: multiplier = high * 2^11 +
// low.
MOTE_KERNEL int32_t rescale_to_common(int32_t value, int32_t multiplier, int32_t shift) {
  const int32_t product = value * (multiplier >> 11) + ((value * (multiplier & 2047) + 1024) >> 11);
  return rounding_divide_by_power_of_two(product, -shift);
}

MOTE_KERNEL int8_t add_element(const Add& p, int8_t a, int8_t b) {
  const int32_t sum = rescale_to_common(a - p.zero_a, p.multiplier_a, p.shift_a) +
                      rescale_to_common(b - p.zero_b, p.multiplier_b, p.shift_b);
  return static_cast<int8_t>(
      clamp(multiply_by_quantized_multiplier(sum, p.multiplier, p.shift) + p.zero, p.low, p.high));
}

MOTE_KERNEL void add_s8(const Add& p, const int8_t* a, const int8_t* b, int8_t* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = add_element(p, a[i], b[i]);
}

MOTE_KERNEL void add_broadcast_s8(const Add& p, const int8_t* a, const int8_t* b, const int32_t* table,
                                  int8_t* out) {
  for_each_broadcast(p.count, table,
                     [&](int32_t at_a, int32_t at_b) MOTE_INLINE { *out++ = add_element(p, a[at_a], b[at_b]); });
}

struct AddFloat {
  int32_t count;  // elements; rows of the table when broadcasting
  float low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("low", low);
    f("high", high);
  }
};

MOTE_KERNEL void add_f32(const AddFloat& p, const float* a, const float* b, float* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = clamp_f32(a[i] + b[i], p.low, p.high);
}

MOTE_KERNEL void add_broadcast_f32(const AddFloat& p, const float* a, const float* b, const int32_t* table,
                                   float* out) {
  for_each_broadcast(p.count, table, [&](int32_t at_a, int32_t at_b) MOTE_INLINE {
    *out++ = clamp_f32(a[at_a] + b[at_b], p.low, p.high);
  });
}

}  // namespace nn
