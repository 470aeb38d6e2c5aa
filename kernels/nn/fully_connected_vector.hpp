// SPDX-License-Identifier: Apache-2.0
// Fully connected layer for few rows: four outputs at a time, sixteen inputs at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"
#include "nn/multiply_vector.hpp"

namespace nn {

// weights and scales: see VectorBlock.
MOTE_KERNEL void fully_connected_vector_s8(const FullyConnected& p, const int8_t* in, const int8_t* weights,
                                           const int32_t* scales, int8_t* out) {
  const int32_t tail = p.in_channels & 15;
  for (int32_t row = 0; row < p.rows; ++row) {
    VectorBlock block{in,  in,  p.in_channels >> 4, tail,           (tail + 3) & ~3, weights,       scales,
                      out, out, p.outputs.channels, p.outputs.zero, p.outputs.low,   p.outputs.high};
    multiply_vector_1x4(block);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

}  // namespace nn
