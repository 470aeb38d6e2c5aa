// SPDX-License-Identifier: Apache-2.0
// Convolution of 16-bit activations in blocks of four pixels times four output channels.
#pragma once

#include <stdint.h>

#include "nn/conv2d_blocks_s16.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"
#include "nn/multiply_4x4.hpp"
#include "nn/requantize.hpp"

namespace nn {

// Of up to four channels (`left` of them are there) and `pixels` pixels, whose sums follow each other, the pixels
// of one channel first.
MOTE_KERNEL void write_outputs_s16(const Conv2d& p, const int32_t* sums, int32_t pixels, const int32_t* scales,
                                   int32_t left, int16_t* out) {
  for (int32_t c = 0; c < 4 && c < left; ++c) {
    int16_t* target = out + c;
    for (int32_t i = 0; i < pixels; ++i) {
      *target = static_cast<int16_t>(clamp(halved_high_product(*sums++, scales[2 * c + 1]), p.low, p.high));
      target += p.out_channels;
    }
  }
}

// All channels of four pixels, values[4 * tap + pixel].
MOTE_SHARED void pixels_4x4_s16(const Conv2d& p, const int16_t* values, int32_t taps, const int8_t* weights,
                                const int32_t* scales, int16_t* out) {
  MOTE_HAS_EFFECTS;
  for (int32_t left = p.out_channels; left > 0; left -= 4) {
    int32_t sums[16];
    multiply_4x4(values, values + 4 * taps, weights, scales, sums);
    write_outputs_s16(p, sums, 4, scales, left, out);
    weights += 4 * ((taps + 1) & ~1), scales += 8, out += 4;
  }
}

// All channels of one pixel, whose values lie `step` apart.
MOTE_SHARED void pixel_1x4_s16(const Conv2d& p, const int16_t* values, int32_t step, int32_t taps,
                               const int8_t* weights, const int32_t* scales, int16_t* out) {
  MOTE_HAS_EFFECTS;
  for (int32_t left = p.out_channels; left > 0; left -= 4) {
    int32_t sums[4];
    weights = multiply_1x4(values, step, taps, weights, scales, sums);
    write_outputs_s16(p, sums, 1, scales, left, out);
    scales += 8, out += 4;
  }
}

// weights: as for conv2d_4x4_s8. scales: {bias, multiplier} of RequantizeSum16, channels rounded up to a multiple
// of four. scratch: 4 * taps values, taps rounded up to an even number.
MOTE_KERNEL void conv2d_4x4_s16(const Conv2d& p, const int16_t* in, const int8_t* weights, const int32_t* scales,
                                int16_t* out, int16_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  conv2d_in_blocks<4>(
      p, in,
      [&](const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_apart<4>(p, image, top, left, scratch + pixel); },
      [&](int32_t count) MOTE_INLINE {
        if (count == 4) {
          pixels_4x4_s16(p, scratch, taps, weights, scales, out);
        } else {
          for (int32_t i = 0; i < count; ++i)
            pixel_1x4_s16(p, scratch + i, 4, taps, weights, scales, out + i * p.out_channels);
        }
        out += count * p.out_channels;
      });
}

// The same for few rows of a dense layer, in_width of them.
MOTE_KERNEL void fully_connected_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                     const int32_t* scales, int16_t* out) {
  for (int32_t row = 0; row < p.out_width; ++row) {
    pixel_1x4_s16(p, in, 1, p.in_channels, weights, scales, out);
    in += p.in_channels, out += p.out_channels;
  }
}

}  // namespace nn
