// SPDX-License-Identifier: Apache-2.0
// Depthwise 3x3 convolution with stride 1 or 2, a row at a time, in products of pairs of 16-bit numbers.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/depthwise_row_3x3.hpp"
#include "nn/fixed.hpp"

namespace nn {

// The rows that the window of output row `y` covers.
MOTE_KERNEL void window_rows(const Conv2d& p, const int8_t* in, int32_t y, DepthwiseRow& row) {
  uint32_t masks[3];
  for (int32_t ky = 0; ky < 3; ++ky) {
    const int32_t in_y = y * p.stride_height - p.pad_top + ky;
    const bool inside = static_cast<uint32_t>(in_y) < static_cast<uint32_t>(p.in_height);
    masks[ky] = inside ? 0xFFFFFFFF : 0;
    row.rows[ky] = inside ? in + in_y * p.in_width * p.in_channels : in;
  }
  row.edge = ~(masks[0] & masks[1] & masks[2]);
  row.pair_mask = (masks[0] & 0xFFFF) | (masks[1] & 0xFFFF0000);
  row.last_mask = masks[2];
}

// Needs: one output a channel, in_width >= 2, pad_left and what the last window has outside at most 1, low and
// high those of 8 bits. weights: nine bytes a channel, see depthwise_place. scales: {bias, multiplier, offset} a
// channel, the input's zero point folded into the bias.
MOTE_KERNEL void depthwise_conv2d_3x3_paired_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                                const int32_t* scales, int8_t* out) {
  const uint32_t zero = static_cast<uint32_t>(p.in_zero);
  DepthwiseRow row;
  row.left = p.pad_left;
  row.right = (p.out_width - 1) * p.stride_width + 3 - p.pad_left > p.in_width ? 1 : 0;
  row.span = (p.out_width - row.right) * p.stride_width * p.in_channels;
  row.zero_pair = (zero & 0xFFFF) | zero << 16;
  row.zero = zero;
  row.step = p.in_channels;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = 0; y < p.out_height; ++y) {
      window_rows(p, in, y, row);
      row.out = out;
      row.weights = weights;
      row.scales = scales;
      row.channels = p.in_channels;
      row.delta = reinterpret_cast<uintptr_t>(out) - reinterpret_cast<uintptr_t>(row.rows[0]) -
                  static_cast<uintptr_t>((2 - p.pad_left) * p.in_channels);
      depthwise_row_3x3(row, p.stride_width);
      out += p.out_width * p.out_channels;
    }
    in += p.in_height * p.in_width * p.in_channels;
  }
}

}  // namespace nn
