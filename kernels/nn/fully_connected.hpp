// SPDX-License-Identifier: Apache-2.0
// Fully connected layer, four outputs at a time: for few rows, where blocks of four pixels would be half empty.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"

namespace nn {

struct FullyConnected {
  int32_t rows, in_channels;
  Outputs outputs;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("in_channels", in_channels), f("outputs", outputs);
  }
};

// constants: as for conv2d_4x4_s8.
MOTE_KERNEL void fully_connected_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                    int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    pixel_1x4(p.outputs, in, 1, p.in_channels, constants, out);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

}  // namespace nn
