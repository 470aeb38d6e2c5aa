// SPDX-License-Identifier: Apache-2.0
// Fully connected layer with weights of 4 or 2 bits, four outputs at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"
#include "nn/multiply_narrow.hpp"

namespace nn {

// `chunk`: as in NarrowConv2d.
struct NarrowFullyConnected {
  FullyConnected dense;
  uint16_t chunk;

  template <class F>
  constexpr void fields(F&& f) const {
    f("dense", dense), f("chunk", chunk);
  }
};

// constants: as for conv2d_narrow.
template <int32_t bits>
MOTE_KERNEL void fully_connected_narrow(const NarrowFullyConnected& p, const int8_t* in, const int32_t* constants,
                                        int8_t* out) {
  for (int32_t row = 0; row < p.dense.rows; ++row) {
    narrow_pixel_1x4<bits>(p.dense.outputs, in, p.dense.in_channels, p.chunk, constants, out);
    in += p.dense.in_channels;
    out += p.dense.outputs.channels;
  }
}

MOTE_KERNEL void fully_connected_4bit_s8(const NarrowFullyConnected& p, const int8_t* in, const int32_t* constants,
                                         int8_t* out) {
  fully_connected_narrow<4>(p, in, constants, out);
}

MOTE_KERNEL void fully_connected_2bit_s8(const NarrowFullyConnected& p, const int8_t* in, const int32_t* constants,
                                         int8_t* out) {
  fully_connected_narrow<2>(p, in, constants, out);
}

}  // namespace nn
