// SPDX-License-Identifier: Apache-2.0
// Logarithm of softmax over the innermost dimension.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

struct LogSoftmax {
  int32_t rows, depth;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
  }
};

MOTE_KERNEL void log_softmax_f32(const LogSoftmax& p, const float* in, float* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    const float largest = largest_of(in, p.depth);
    float sum = 0.0f;
    for (int32_t i = 0; i < p.depth; ++i) sum += exp_f32(in[i] - largest);
    const float log_sum = log_f32(sum);
    for (int32_t i = 0; i < p.depth; ++i) out[i] = in[i] - largest - log_sum;
    in += p.depth;
    out += p.depth;
  }
}

}  // namespace nn
