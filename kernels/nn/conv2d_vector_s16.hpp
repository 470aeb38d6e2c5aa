// SPDX-License-Identifier: Apache-2.0
// Convolution of 16-bit activations in blocks of two pixels times four output channels, eight taps at a time.
#pragma once

#include <stdint.h>

#include "nn/conv2d_blocks_s16.hpp"
#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_vector_s16.hpp"

namespace nn {

// One or two pixels whose taps lie one after the other, the second's behind the first's.
MOTE_KERNEL void vector_pixels_s16(const Conv2d& p, const int16_t* values, int32_t taps, int32_t count,
                                   const int8_t* weights, const int32_t* scales, int16_t* out) {
  const int32_t second = count > 1 ? 1 : 0;
  VectorBlock16 block{values, values + second * taps,        taps >> 3,      taps & 7, weights, scales,
                      out,    out + second * p.out_channels, p.out_channels, p.low,    p.high};
  multiply_vector_2x4_s16(block);
}

// The window of one pixel; what lies outside the input is zero.
MOTE_KERNEL void conv2d_gather_halves(const Conv2d& p, const int16_t* in, int32_t top, int32_t left, int16_t* to) {
  conv2d_runs(
      p, in, top, left, reinterpret_cast<int8_t*>(to),
      [](const int16_t* from, int32_t count, int8_t* place)
          MOTE_INLINE { return copy_bytes(reinterpret_cast<const int8_t*>(from), 2 * count, place); },
      [](int32_t count, int8_t* place) MOTE_INLINE { return fill_bytes(0, 2 * count, place); });
}

// weights and scales: see VectorBlock16. scratch: two values a tap.
MOTE_KERNEL void conv2d_vector_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                   const int32_t* scales, int16_t* out, int16_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  conv2d_in_blocks<2>(
      p, in,
      [&](const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_halves(p, image, top, left, scratch + pixel * taps); },
      [&](int32_t count) MOTE_INLINE {
        vector_pixels_s16(p, scratch, taps, count, weights, scales, out);
        out += 2 * p.out_channels;
      });
}

// The same for a window of one element over the whole input, which is read in place.
MOTE_KERNEL void conv2d_pointwise_vector_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                             const int32_t* scales, int16_t* out) {
  for (int32_t left = p.batches * p.out_height * p.out_width; left > 0; left -= 2) {
    vector_pixels_s16(p, in, p.in_channels, left, weights, scales, out);
    in += 2 * p.in_channels;
    out += 2 * p.out_channels;
  }
}

}  // namespace nn
