// SPDX-License-Identifier: Apache-2.0
// Fully connected layer, four outputs at a time: for few rows, where blocks of four pixels would be half empty.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"

namespace nn {

struct FullyConnected {
  int32_t rows, in_channels, out_channels, out_zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("in_channels", in_channels), f("out_channels", out_channels);
    f("out_zero", out_zero), f("low", low), f("high", high);
  }
};

// weights, scales and shift as for conv2d_4x4_s8.
MOTE_KERNEL void fully_connected_s8(const FullyConnected& p, const int8_t* in, const int8_t* weights,
                                    const int32_t* scales, const uint8_t* shift, int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    pixel_1x4(p, in, 1, p.in_channels, weights, scales, shift, out);
    in += p.in_channels;
    out += p.out_channels;
  }
}

}  // namespace nn
