// SPDX-License-Identifier: Apache-2.0
// Rectifier whose slope below zero is a tensor.
#pragma once

#include "nn/arithmetic.hpp"

namespace nn {

struct Prelu : Plain {
  MOTE_KERNEL float operator()(float x, float slope) const { return x >= 0.0f ? x : x * slope; }
};

struct QuantizedPrelu {
  int32_t zero_x, zero_slope, zero;
  int32_t multiplier_above, shift_above;
  int32_t multiplier_below, shift_below;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_x", zero_x);
    f("zero_slope", zero_slope);
    f("zero", zero);
    f("multiplier_above", multiplier_above);
    f("shift_above", shift_above);
    f("multiplier_below", multiplier_below);
    f("shift_below", shift_below);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t stored, int32_t slope) const {
    const int32_t x = stored - zero_x;
    const int32_t value =
        x >= 0 ? multiply_by_quantized_multiplier(x, multiplier_above, shift_above)
               : multiply_by_quantized_multiplier(x * (slope - zero_slope), multiplier_below, shift_below);
    return clamp(value + zero, low, high);
  }
};

}  // namespace nn
