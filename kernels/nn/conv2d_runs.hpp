// SPDX-License-Identifier: Apache-2.0
// Gathers the window of a pixel in runs of values that lie one after the other.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"

namespace nn {

// Walks the window's rows: inside(from, count, to) for values of the input that lie one after the other, outside
// (count, to) for the others; both return what follows `to`. Of each pixel it takes all channels, or those of the
// group that begins at `in`.
template <bool grouped = false, class In, class T, class Inside, class Outside>
MOTE_KERNEL void conv2d_runs(const Conv2d& p, const In* in, int32_t top, int32_t left, T* to, const Inside& inside,
                             const Outside& outside) {
  const Taps columns = taps_inside(left, p.in_width, p.kernel_width, p.dilation_width);
  const int32_t& channels = grouped ? p.group_channels : p.in_channels;  // read anew: registers are few
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    const int32_t y = top + ky * p.dilation_height;
    if (static_cast<uint32_t>(y) >= static_cast<uint32_t>(p.in_height) || columns.low >= columns.high) {
      to = outside(p.kernel_width * channels, to);
      continue;
    }
    if (columns.low > 0) to = outside(columns.low * channels, to);
    const In* from = in + (y * p.in_width + left + columns.low * p.dilation_width) * p.in_channels;
    if (p.dilation_width == 1 && !grouped) {
      to = inside(from, (columns.high - columns.low) * channels, to);
    } else {
      for (int32_t kx = columns.low; kx < columns.high; ++kx) {
        to = inside(from, channels, to);
        from += p.dilation_width * p.in_channels;
      }
    }
    if (columns.high < p.kernel_width) to = outside((p.kernel_width - columns.high) * channels, to);
  }
}

// The window of one pixel, byte for byte; what lies outside the input becomes in_zero.
template <bool grouped = false>
MOTE_KERNEL void conv2d_gather_bytes(const Conv2d& p, const int8_t* in, int32_t top, int32_t left, int8_t* to) {
  conv2d_runs<grouped>(
      p, in, top, left, to,
      [](const int8_t* from, int32_t count, int8_t* place) MOTE_INLINE { return copy_bytes(from, count, place); },
      [&](int32_t count, int8_t* place) MOTE_INLINE { return fill_bytes(p.in_zero, count, place); });
}

}  // namespace nn
