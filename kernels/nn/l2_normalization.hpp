// SPDX-License-Identifier: Apache-2.0
// Rows divided by their Euclidean length.
#pragma once

#include <math.h>

#include "nn/inverse_sqrt.hpp"

namespace nn {

struct L2Normalization {
  int32_t rows, depth, zero;  // zero: point of the input

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
    f("zero", zero);
  }
};

// The output is in steps of 1/128.
MOTE_KERNEL void l2_normalization_s8(const L2Normalization& p, const int8_t* in, int8_t* out) {
  const int32_t depth = p.depth, zero = p.zero;
  for (int32_t row = 0; row < p.rows; ++row) {
    int32_t sum = 0;
    for (int32_t i = 0; i < depth; ++i) sum += (in[i] - zero) * (in[i] - zero);
    const InverseSqrt factor = inverse_sqrt(sum);
    for (int32_t i = 0; i < depth; ++i) {
      const int32_t value = multiply_by_quantized_multiplier(in[i] - zero, factor.multiplier, factor.shift + 7);
      out[i] = static_cast<int8_t>(clamp(value, -128, 127));
    }
    in += depth, out += depth;
  }
}

// Rows of nearly nothing are divided by 1e-6.
MOTE_KERNEL void l2_normalization_f32(const L2Normalization& p, const float* in, float* out) {
  const int32_t depth = p.depth;
  for (int32_t row = 0; row < p.rows; ++row) {
    float sum = 0.0f;
    for (int32_t i = 0; i < depth; ++i) sum += in[i] * in[i];
    const float length = sqrtf(sum);
    const float divisor = length > 1e-6f ? length : 1e-6f;
    for (int32_t i = 0; i < depth; ++i) out[i] = in[i] / divisor;
    in += depth, out += depth;
  }
}

}  // namespace nn
