// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with any window, a pixel at a time, sixteen channels at a time.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/copy_bytes.hpp"
#include "nn/depthwise_window_vector.hpp"
#include "nn/fixed.hpp"

namespace nn {

// The offset of each tap of the window whose corner is (top, left), from `in` on; those outside lead to `padding`.
MOTE_KERNEL void window_offsets(const Conv2d& p, const int8_t* in, int32_t top, int32_t left,
                                const int8_t* padding, int32_t* offsets) {
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    const int32_t y = top + ky * p.dilation_height;
    for (int32_t kx = 0; kx < p.kernel_width; ++kx) {
      const int32_t x = left + kx * p.dilation_width;
      const bool inside = static_cast<uint32_t>(y) < static_cast<uint32_t>(p.in_height) &&
                          static_cast<uint32_t>(x) < static_cast<uint32_t>(p.in_width);
      *offsets++ = inside ? (y * p.in_width + x) * p.in_channels : outside_offset(in, padding);
    }
  }
  if ((p.kernel_height * p.kernel_width & 1) != 0) offsets[0] = offsets[-1];
}

// One output a channel. weights and scales: see VectorWindow; an odd count of taps ends with weights of zero.
// scratch: two words a tap, an odd count rounded up, and in_channels bytes.
MOTE_KERNEL void depthwise_conv2d_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                            const int32_t* scales, int8_t* out, int32_t* scratch) {
  const int32_t pairs = (p.kernel_height * p.kernel_width + 1) >> 1;
  int32_t* const edge = scratch + 2 * pairs;
  auto* const padding = reinterpret_cast<int8_t*>(scratch + 4 * pairs);
  fill_bytes(p.in_zero, p.in_channels, padding);
  // Of a window that lies inside: the same from each corner on.
  for (int32_t k = 0; k < 2 * pairs; ++k) {
    const int32_t tap = k < p.kernel_height * p.kernel_width ? k : k - 1;
    scratch[k] =
        (tap / p.kernel_width * p.dilation_height * p.in_width + tap % p.kernel_width * p.dilation_width) *
        p.in_channels;
  }
  const int32_t last_top = p.in_height - 1 - (p.kernel_height - 1) * p.dilation_height;
  const int32_t last_left = p.in_width - 1 - (p.kernel_width - 1) * p.dilation_width;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = 0; y < p.out_height; ++y) {
      const int32_t top = y * p.stride_height - p.pad_top;
      for (int32_t x = 0; x < p.out_width; ++x) {
        const int32_t left = x * p.stride_width - p.pad_left;
        VectorWindow window{in, scratch, pairs, weights, scales, out, p.out_channels, p.out_zero, p.low, p.high};
        if (top >= 0 && top <= last_top && left >= 0 && left <= last_left) {
          window.values = in + (top * p.in_width + left) * p.in_channels;
        } else {
          window.offsets = edge;
          window_offsets(p, in, top, left, padding, edge);
        }
        depthwise_window_vector(window, p.in_zero);
        out += p.out_channels;
      }
    }
    in += p.in_height * p.in_width * p.in_channels;
  }
}

}  // namespace nn
