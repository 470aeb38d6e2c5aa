// SPDX-License-Identifier: Apache-2.0
// Windows over an image as tables of offsets, one a tap: stride, dilation and padding are in the table only.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"

namespace nn {

// Where a tap outside the input finds the zero point, `padding`, from `values` on. A machine with longer pointers
// is told by a number instead.
MOTE_KERNEL int32_t outside_offset(const int8_t* values, const int8_t* padding) {
  if (sizeof(uintptr_t) > 4) return INT32_MIN;
  return static_cast<int32_t>(reinterpret_cast<uintptr_t>(padding) - reinterpret_cast<uintptr_t>(values));
}

// Of the window whose corner is (top, left). An odd count ends with the last offset twice.
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

// Calls pixel(values, offsets) for every output pixel in order. Windows inside the image share one table, those at
// its edge fill another. scratch: two words a tap, an odd count rounded up, and in_channels bytes.
template <class Pixel>
MOTE_KERNEL void for_each_offset_window(const Conv2d& p, const int8_t* in, int32_t* scratch, const Pixel& pixel) {
  const int32_t taps = p.kernel_height * p.kernel_width;
  const int32_t even = (taps + 1) & ~1;
  auto* const padding = reinterpret_cast<int8_t*>(scratch + 2 * even);
  fill_bytes(p.in_zero, p.in_channels, padding);
  for (int32_t k = 0; k < even; ++k) {
    const int32_t tap = k < taps ? k : taps - 1;
    const int32_t y = tap / p.kernel_width * p.dilation_height, x = tap % p.kernel_width * p.dilation_width;
    scratch[k] = (y * p.in_width + x) * p.in_channels;
  }
  const int32_t last_top = p.in_height - 1 - (p.kernel_height - 1) * p.dilation_height;
  const int32_t last_left = p.in_width - 1 - (p.kernel_width - 1) * p.dilation_width;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t out_y = 0; out_y < p.out_height; ++out_y) {
      const int32_t top = out_y * p.stride_height - p.pad_top;
      for (int32_t out_x = 0; out_x < p.out_width; ++out_x) {
        const int32_t left = out_x * p.stride_width - p.pad_left;
        const int8_t* values = in;
        const int32_t* offsets = scratch;
        if (top >= 0 && top <= last_top && left >= 0 && left <= last_left) {
          values += (top * p.in_width + left) * p.in_channels;
        } else {
          window_offsets(p, in, top, left, padding, scratch + even);
          offsets = scratch + even;
        }
        pixel(values, offsets);
      }
    }
    in += p.in_height * p.in_width * p.in_channels;
  }
}

}  // namespace nn
