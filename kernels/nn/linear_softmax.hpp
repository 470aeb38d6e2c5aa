// SPDX-License-Identifier: Apache-2.0
// A softmax whose exponential is a straight line: shares of 127 that need neither tables nor scales.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

struct LinearSoftmax {
  int32_t rows, depth;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
  }
};

// e = max(128 + 2 (x - largest), 0); y = floor(127 e / sum(e)). The largest element's e is 128, so that no sum is
// 0.
MOTE_KERNEL void linear_softmax_s8(const LinearSoftmax& p, const int8_t* in, int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row, in += p.depth, out += p.depth) {
    int32_t largest = in[0];
    for (int32_t i = 1; i < p.depth; ++i) largest = in[i] > largest ? in[i] : largest;
    int32_t sum = 0;
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t e = 128 + 2 * (in[i] - largest);
      sum += e > 0 ? e : 0;
    }
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t e = 128 + 2 * (in[i] - largest);
      out[i] = static_cast<int8_t>(e > 0 ? e * 127 / sum : 0);
    }
  }
}

}  // namespace nn
