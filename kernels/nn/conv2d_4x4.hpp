// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks of four pixels times four output channels.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"
#include "nn/multiply_4x4.hpp"
#include "nn/requantize.hpp"

namespace nn {

// Copies the window of one pixel into every fourth byte of `patch`; what lies outside the input becomes in_zero.
MOTE_KERNEL void conv2d_gather(const Conv2d& p, const int8_t* in, int32_t top, int32_t left, int8_t* patch) {
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    const int32_t y = top + ky * p.dilation_height;
    for (int32_t kx = 0; kx < p.kernel_width; ++kx) {
      const int32_t x = left + kx * p.dilation_width;
      const int8_t* const end = patch + 4 * p.in_channels;
      if (static_cast<uint32_t>(y) < static_cast<uint32_t>(p.in_height) &&
          static_cast<uint32_t>(x) < static_cast<uint32_t>(p.in_width)) {
        const int8_t* from = in + (y * p.in_width + x) * p.in_channels;
        for (; patch != end; patch += 4) *patch = *from++;
      } else {
        for (; patch != end; patch += 4) *patch = static_cast<int8_t>(p.in_zero);
      }
    }
  }
}

// weights: [out_channels / 4][taps][4], channels and taps (kernel_height * kernel_width * in_channels) padded with
// zeros to multiples of 4 and 2. scales: {bias - in_zero * sum of weights, multiplier} a channel. shift: as
// Requantize wants. scratch: 4 * taps bytes.
MOTE_KERNEL void conv2d_4x4_s8(const Conv2d& p, const int8_t* in, const int8_t* weights, const int32_t* scales,
                               const uint8_t* shift, int8_t* out, int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  const int32_t pixels = p.batches * p.out_height * p.out_width;
  int32_t x = 0, y = 0;
  for (int32_t first = 0; first < pixels; first += 4) {
    const int32_t count = pixels - first < 4 ? pixels - first : 4;
    for (int32_t i = 0; i < count; ++i) {
      conv2d_gather(p, in, y * p.stride_height - p.pad_top, x * p.stride_width - p.pad_left, scratch + i);
      if (++x == p.out_width) {
        x = 0;
        if (++y == p.out_height) {
          y = 0;
          in += p.in_height * p.in_width * p.in_channels;
        }
      }
    }
    if (count < 4) {
      for (int32_t i = 0; i < count; ++i) {
        pixel_1x4(p, scratch + i, 4, taps, weights, scales, shift, out + i * p.out_channels);
      }
      return;
    }
    const int8_t* weight = weights;
    for (int32_t c = 0; c < p.out_channels;) {
      int32_t sums[16];
      multiply_4x4(scratch, scratch + 4 * taps, weight, scales + 2 * c, sums);
      weight += 4 * ((taps + 1) & ~1);
      const int32_t* sum = sums;
      do {
        const Requantize requantize(scales[2 * c + 1], shift[c], p.out_zero);
        int8_t* target = out + c;
        for (int32_t i = 0; i < 4; ++i) {
          *target = requantize(*sum++, p.out_zero, p.low, p.high);
          target += p.out_channels;
        }
        ++c;
      } while ((c & 3) != 0 && c < p.out_channels);
    }
    out += 4 * p.out_channels;
  }
}

}  // namespace nn
