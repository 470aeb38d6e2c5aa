// SPDX-License-Identifier: Apache-2.0
// Fully connected layer for few rows: four outputs at a time, two outputs' weights in one 16-bit number.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"
#include "nn/multiply_paired.hpp"

namespace nn {

// weights: [out_channels / 4][in_channels / 2][4], in_channels rounded up to a multiple of four; of four the first
// pair is 0 and 2, the second 1 and 3. scales: see Paired.
MOTE_KERNEL void fully_connected_paired_s8(const FullyConnected& p, const int8_t* in, const int16_t* weights,
                                           const int32_t* scales, int8_t* out) {
  const int32_t steps = p.in_channels >> 2;
  for (int32_t row = 0; row < p.rows; ++row) {
    const int8_t* const end = in + 4 * steps;
    uint32_t tail = 0;
    for (int32_t k = p.in_channels & 3; k > 0; --k) tail = tail << 8 | static_cast<uint8_t>(end[k - 1]);
    Paired block{scales,
                 paired_entry(steps, unrolled_1x4, 64),
                 in,
                 end,
                 weights,
                 out,
                 out,
                 p.outputs.channels,
                 p.outputs.low > -128 || p.outputs.high < 127 ? 1 : 0,
                 p.outputs.low,
                 p.outputs.high,
                 tail,
                 (p.in_channels & 3) != 0 ? 1U : 0U};
    multiply_paired_1x4(block);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

}  // namespace nn
