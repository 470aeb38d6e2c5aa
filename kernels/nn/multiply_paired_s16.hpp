// SPDX-License-Identifier: Apache-2.0
// Convolution sums of 16-bit values in products of pairs, requantised and stored.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/multiply_paired.hpp"
#include "nn/requantize.hpp"

namespace nn {

// The work of one call: all channels of one or two pixels. The assembly knows the members' places.
struct Paired16 {
  const int32_t* scales;        // four channels: their biases, their multipliers of halved_high_product
  uint32_t entry;               // bytes from the first product to the end of the unrolled loop
  const int16_t *values, *end;  // 2x4: [pairs of taps][pixel][2]; 1x4: the taps; `end` of the whole pairs
  const int8_t* weights;        // [channels / 4][pairs of taps][channel pair][2 taps][2 channels]
  int16_t *out0, *out1;         // equal for one pixel: the second's results are written first
  int32_t channels;
  int32_t low, high;
  int32_t odd;  // 1x4: whether a single tap follows the pairs
};

}  // namespace nn

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/multiply_paired_s16.hpp"
#else

namespace nn {

MOTE_KERNEL void multiply_pixel_s16(const Paired16& block, const int16_t* values, int32_t step, int16_t* out) {
  const auto pairs = static_cast<int32_t>(block.end - block.values) / step;
  int32_t sums[4] = {block.scales[0], block.scales[1], block.scales[2], block.scales[3]};
  for (int32_t k = 0; k < 2 * pairs + block.odd; ++k) {
    const int32_t value = values[(k >> 1) * step + (k & 1)];
    for (int32_t c = 0; c < 4; ++c) {
      sums[c] += value * block.weights[(k >> 1) * 8 + (c >> 1) * 4 + (k & 1) * 2 + (c & 1)];
    }
  }
  for (int32_t c = 0; c < 4 && c < block.channels; ++c) {
    const int32_t scaled = halved_high_product(sums[c], block.scales[4 + c]);
    out[c] = static_cast<int16_t>(clamp(scaled, block.low, block.high));
  }
}

MOTE_KERNEL void next_channels_s16(Paired16& block, int32_t pairs) {
  block.weights += 8 * pairs;
  block.scales += 8, block.out0 += 4, block.out1 += 4;
}

MOTE_KERNEL void multiply_paired_2x4_s16(Paired16& block) {
  for (; block.channels > 0; block.channels -= 4) {
    multiply_pixel_s16(block, block.values + 2, 4, block.out1);
    multiply_pixel_s16(block, block.values, 4, block.out0);
    next_channels_s16(block, static_cast<int32_t>(block.end - block.values) / 4);
  }
}

MOTE_KERNEL void multiply_paired_1x4_s16(Paired16& block) {
  for (; block.channels > 0; block.channels -= 4) {
    multiply_pixel_s16(block, block.values, 2, block.out0);
    next_channels_s16(block, static_cast<int32_t>(block.end - block.values) / 2 + block.odd);
  }
}

}  // namespace nn
#endif
