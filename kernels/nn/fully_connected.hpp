// SPDX-License-Identifier: Apache-2.0
// Fully connected layer, four outputs at a time: for few rows, where blocks of four pixels would be half empty.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/requantize.hpp"

namespace nn {

struct FullyConnected {
  int32_t rows, depth, outputs, out_zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("depth", depth), f("outputs", outputs);
    f("out_zero", out_zero), f("low", low), f("high", high);
  }
};

// weights, scales and shift as for conv2d_4x4_s8.
MOTE_KERNEL void fully_connected_s8(const FullyConnected& p, const int8_t* in, const int8_t* weights,
                                    const int32_t* scales, const uint8_t* shift, int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    const int8_t* weight = weights;
    const int8_t* const end = in + p.depth;
    for (int32_t c = 0; c < p.outputs; c += 4) {
      const int32_t* const scale = scales + 2 * c;
      int32_t sum0 = scale[0], sum1 = scale[2], sum2 = scale[4], sum3 = scale[6];
      const int8_t* value = in;
      for (; end - value >= 2; value += 2, weight += 8) {
        const int32_t value0 = value[0], value1 = value[1];
        sum0 += value0 * weight[0] + value1 * weight[4];
        sum1 += value0 * weight[1] + value1 * weight[5];
        sum2 += value0 * weight[2] + value1 * weight[6];
        sum3 += value0 * weight[3] + value1 * weight[7];
      }
      if (value != end) {
        sum0 += *value * weight[0], sum1 += *value * weight[1];
        sum2 += *value * weight[2], sum3 += *value * weight[3];
        weight += 8;
      }
      const int32_t sum[4] = {sum0, sum1, sum2, sum3};
      for (int32_t j = 0; j < 4 && c + j < p.outputs; ++j) {
        const Requantize requantize(scale[2 * j + 1], shift[c + j], p.out_zero);
        out[c + j] = requantize(sum[j], p.out_zero, p.low, p.high);
      }
    }
    in += p.depth;
    out += p.outputs;
  }
}

}  // namespace nn
