// SPDX-License-Identifier: Apache-2.0
// Fully connected layer with weights of 4 or 2 bits, four outputs at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"
#include "nn/multiply_narrow.hpp"

namespace nn {

// constants: as for conv2d_narrow.
template <int32_t bits>
MOTE_KERNEL void fully_connected_narrow(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                        int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    narrow_pixel_1x4<bits>(p.outputs, in, p.in_channels, constants, out);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

MOTE_KERNEL void fully_connected_4bit_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                         int8_t* out) {
  fully_connected_narrow<4>(p, in, constants, out);
}

MOTE_KERNEL void fully_connected_2bit_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                         int8_t* out) {
  fully_connected_narrow<2>(p, in, constants, out);
}

}  // namespace nn
