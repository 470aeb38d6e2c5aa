// SPDX-License-Identifier: Apache-2.0
// Convolution sums in vectors of sixteen taps, four channels of one or two pixels at a time, requantised and
// stored.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// The work of one call: all channels of one or two pixels. The assembly knows the members' places.
struct VectorBlock {
  const int8_t *values0, *values1;  // taps that lie one after the other; equal for one pixel
  int32_t chunks, tail, tail_step;  // taps = 16 * chunks + tail; tail_step: tail rounded up to a multiple of 4
  const int8_t* weights;  // [channels / 4]: [chunks][4][16], then [4][tail_step]; 16 bytes more may be read
  const int32_t* scales;  // four channels: four biases, four multipliers, four bytes of shift (-21 to -1)
  int8_t *out0, *out1;    // equal for one pixel: the second's results are written first
  int32_t channels, out_zero, low, high;
};

}  // namespace nn

#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/multiply_vector.hpp"
#else

namespace nn {

MOTE_KERNEL void finish_vector(const VectorBlock& block, const int32_t* sums, int8_t* out) {
  const auto* const shifts = reinterpret_cast<const int8_t*>(block.scales + 8);
  for (int32_t c = 0; c < 4 && c < block.channels; ++c) {
    const int32_t scaled = multiply_by_quantized_multiplier(sums[c], block.scales[4 + c], shifts[c]);
    out[c] = static_cast<int8_t>(clamp(scaled + block.out_zero, block.low, block.high));
  }
}

// Adds taps that lie one after the other for four channels, whose weights lie `step` bytes apart.
MOTE_KERNEL void add_vector(const int8_t* values, const int8_t* weights, int32_t taps, int32_t step,
                            int32_t* sums) {
  for (int32_t c = 0; c < 4; ++c) {
    for (int32_t k = 0; k < taps; ++k) sums[c] += values[k] * weights[c * step + k];
  }
}

MOTE_KERNEL void multiply_vector_2x4(VectorBlock& block) {
  for (; block.channels > 0; block.channels -= 4) {
    int32_t sums[2][4];
    for (int32_t c = 0; c < 4; ++c) sums[0][c] = sums[1][c] = block.scales[c];
    for (int32_t k = 0; k < block.chunks; ++k) {
      add_vector(block.values0 + 16 * k, block.weights, 16, 16, sums[0]);
      add_vector(block.values1 + 16 * k, block.weights, 16, 16, sums[1]);
      block.weights += 64;
    }
    add_vector(block.values0 + 16 * block.chunks, block.weights, block.tail, block.tail_step, sums[0]);
    add_vector(block.values1 + 16 * block.chunks, block.weights, block.tail, block.tail_step, sums[1]);
    block.weights += 4 * block.tail_step;
    finish_vector(block, sums[1], block.out1);
    finish_vector(block, sums[0], block.out0);
    block.scales += 9, block.out0 += 4, block.out1 += 4;
  }
}

MOTE_KERNEL void multiply_vector_1x4(VectorBlock& block) {
  for (; block.channels > 0; block.channels -= 4) {
    int32_t sums[4];
    for (int32_t c = 0; c < 4; ++c) sums[c] = block.scales[c];
    for (int32_t k = 0; k < block.chunks; ++k) {
      add_vector(block.values0 + 16 * k, block.weights, 16, 16, sums);
      block.weights += 64;
    }
    add_vector(block.values0 + 16 * block.chunks, block.weights, block.tail, block.tail_step, sums);
    block.weights += 4 * block.tail_step;
    finish_vector(block, sums, block.out0);
    block.scales += 9, block.out0 += 4;
  }
}

}  // namespace nn
#endif
