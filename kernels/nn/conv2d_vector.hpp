// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks of two pixels times four output channels, sixteen taps at a time.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/conv2d_runs.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_vector.hpp"

namespace nn {

// `channels` outputs of one or two pixels whose taps lie one after the other, the second's behind the first's.
MOTE_KERNEL void vector_pixels(const Conv2d& p, int32_t channels, const int8_t* values, int32_t taps,
                               int32_t count, const int8_t* weights, const int32_t* scales, int8_t* out) {
  const int32_t second = count > 1 ? 1 : 0;
  VectorBlock block{values,
                    values + second * taps,
                    taps >> 4,
                    taps & 15,
                    ((taps & 15) + 3) & ~3,
                    weights,
                    scales,
                    out,
                    out + second * p.out_channels,
                    channels,
                    p.out_zero,
                    p.low,
                    p.high};
  multiply_vector_2x4(block);
}

// weights and scales: see VectorBlock; the input's zero point is folded into the biases. scratch: 2 * taps bytes.
MOTE_KERNEL void conv2d_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights, const int32_t* scales,
                                  int8_t* out, int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  int32_t x = 0, y = 0;
  for (int32_t left = p.batches * p.out_height * p.out_width; left > 0; left -= 2) {
    for (int32_t i = 0; i < 2 && i < left; ++i) {
      conv2d_gather_bytes(p, in, y * p.stride_height - p.pad_top, x * p.stride_width - p.pad_left,
                          scratch + i * taps);
      if (++x == p.out_width) {
        x = 0;
        if (++y == p.out_height) {
          y = 0;
          in += p.in_height * p.in_width * p.in_channels;
        }
      }
    }
    vector_pixels(p, p.out_channels, scratch, taps, left, weights, scales, out);
    out += 2 * p.out_channels;
  }
}

// The same for a window of one element over the whole input, which is read in place.
MOTE_KERNEL void conv2d_pointwise_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                            const int32_t* scales, int8_t* out) {
  for (int32_t left = p.batches * p.out_height * p.out_width; left > 0; left -= 2) {
    vector_pixels(p, p.out_channels, in, p.in_channels, left, weights, scales, out);
    in += 2 * p.in_channels;
    out += 2 * p.out_channels;
  }
}

}  // namespace nn
