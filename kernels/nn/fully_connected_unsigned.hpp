// SPDX-License-Identifier: Apache-2.0
// Fully connected layer, four outputs at a time, in products of bytes without signs.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"
#include "nn/multiply_unsigned.hpp"

namespace nn {

// constants: as for conv2d_unsigned_s8.
MOTE_KERNEL void fully_connected_unsigned_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                             int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    pixel_1x8_unsigned(p.outputs, in, 1, p.in_channels, constants, out);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

}  // namespace nn
