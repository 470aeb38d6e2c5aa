// SPDX-License-Identifier: Apache-2.0
// Depthwise 3x3 convolution with stride 1 or 2: each input value of a row is loaded once and stays in a register.
#pragma once

#include <stdint.h>

#include "nn/depthwise_channels_3x3.hpp"
#include "nn/fixed.hpp"
#include "nn/packed.hpp"

namespace nn {

// weights: [channels][3][3], and three bytes more. The input has two rows at least. Of the rows and columns that
// windows cover only the first and the last lie outside.
MOTE_KERNEL void depthwise_conv2d_3x3_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants,
                                         int8_t* out) {
  const PackedConstants packed(constants, p.in_channels);
  const int32_t last_column = (p.out_width - 1) * p.stride_width + 2 - p.pad_left;
  const int32_t row_bytes = p.in_width * p.in_channels;
  const bool two_rows = p.in_height == 2;
  DepthwiseChannelRow row;
  row.third = two_rows ? row_bytes : 2 * row_bytes;
  row.first_outside = p.pad_left;
  row.last_outside = last_column >= p.in_width ? 1 : 0;
  row.in_zero = p.in_zero;
  row.stride = p.stride_width;
  row.inner = p.out_width - 1;
  row.zero = p.outputs.zero;
  row.low = p.outputs.low;
  row.high = p.outputs.high;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    int32_t top = -p.pad_top;
    for (int32_t y = 0; y < p.out_height; ++y) {
      row.uncovered = top < 0 ? 1 : top > p.in_height - 3 ? -1 : 0;
      row.second = two_rows && row.uncovered < 0 ? 0 : row_bytes;
      row.channels = p.in_channels;
      row.in = two_rows ? in : in + (top + row.uncovered) * row_bytes;
      row.weights = packed.weights + 3 * row.uncovered;
      row.scales = packed.scales;
      row.shift = packed.shift;
      row.out = out;
      if (MOTE_IS_OWN(p)) {
        depthwise_channels_inlined_3x3(row);
      } else {
        depthwise_channels_3x3(row);
      }
      top += p.stride_height;
      out += p.out_width * p.in_channels;
    }
    in += p.in_height * row_bytes;
  }
}

}  // namespace nn
