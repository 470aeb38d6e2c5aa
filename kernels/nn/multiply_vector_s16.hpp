// SPDX-License-Identifier: Apache-2.0
// Convolution sums of 16-bit values in vectors of eight taps, four channels of one or two pixels at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/requantize.hpp"

namespace nn {

// The work of one call: all channels of one or two pixels. The assembly knows the members' places.
struct VectorBlock16 {
  const int16_t *values0, *values1;  // taps that lie one after the other; equal for one pixel
  int32_t chunks, tail;              // taps = 8 * chunks + tail
  const int8_t* weights;             // [channels / 4]: [chunks][4][8], then [4][tail]; 8 bytes more may be read
  const int32_t* scales;             // four channels: their biases, their multipliers of halved_high_product
  int16_t *out0, *out1;              // equal for one pixel: the second's results are written first
  int32_t channels, low, high;
};

}  // namespace nn

#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/multiply_vector_s16.hpp"
#else

namespace nn {

MOTE_KERNEL void multiply_vector_pixel_s16(const VectorBlock16& block, const int16_t* values, int16_t* out) {
  for (int32_t c = 0; c < 4 && c < block.channels; ++c) {
    int32_t sum = block.scales[c];
    for (int32_t k = 0; k < 8 * block.chunks; ++k) {
      sum += values[k] * block.weights[(k >> 3) * 32 + c * 8 + (k & 7)];
    }
    for (int32_t k = 0; k < block.tail; ++k) {
      sum += values[8 * block.chunks + k] * block.weights[32 * block.chunks + c * block.tail + k];
    }
    out[c] = static_cast<int16_t>(clamp(halved_high_product(sum, block.scales[4 + c]), block.low, block.high));
  }
}

MOTE_KERNEL void multiply_vector_2x4_s16(VectorBlock16& block) {
  for (; block.channels > 0; block.channels -= 4) {
    multiply_vector_pixel_s16(block, block.values1, block.out1);
    multiply_vector_pixel_s16(block, block.values0, block.out0);
    block.weights += 32 * block.chunks + 4 * block.tail;
    block.scales += 8, block.out0 += 4, block.out1 += 4;
  }
}

}  // namespace nn
#endif
