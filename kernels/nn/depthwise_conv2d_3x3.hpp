// SPDX-License-Identifier: Apache-2.0
// Depthwise 3x3 convolution with stride 1 or 2: each input value of a row is loaded once and stays in a register.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/fixed.hpp"
#include "nn/requantize.hpp"

namespace nn {

// One column of a window, three rows high.
struct Column3 {
  int32_t top, middle, bottom;

  MOTE_KERNEL int32_t times(const Column3& weights) const {
    return top * weights.top + middle * weights.middle + bottom * weights.bottom;
  }
};

// The rows of one channel that a window covers, from column `x` on.
struct Rows3 {
  const int8_t *top, *middle, *bottom;
  int32_t x, width, channels, in_zero;

  // The next column; what lies left or right of the input counts as in_zero.
  MOTE_KERNEL Column3 next() {
    Column3 column{in_zero, in_zero, in_zero};
    if (static_cast<uint32_t>(x) < static_cast<uint32_t>(width)) {
      column = {*top, *middle, *bottom};
      top += channels, middle += channels, bottom += channels;
    }
    ++x;
    return column;
  }
};

// One output row of one channel. Columns stream through: each takes part in up to three sums that are under way,
// so that no window has to move from register to register.
MOTE_KERNEL void depthwise_row_3x3(const Conv2d& p, Rows3 rows, const Column3& left, const Column3& middle,
                                   const Column3& right, int32_t bias, const Requantize& requantize, int8_t* out) {
  Column3 column = rows.next();
  int32_t first = bias + column.times(left);
  column = rows.next();
  first += column.times(middle);
  int32_t second = bias + column.times(left);
  for (int32_t i = 0; i < p.out_width; ++i) {
    column = rows.next();
    *out = requantize(first + column.times(right), p.out_zero, p.low, p.high);
    out += p.out_channels;
    if (p.stride_width == 1) {
      first = second + column.times(middle);
      second = bias + column.times(left);
    } else {
      second = bias + column.times(left);
      column = rows.next();
      first = second + column.times(middle);
    }
  }
}

// weights: [channels][3][3]; scales and shift as for conv2d_4x4_s8.
MOTE_KERNEL void depthwise_conv2d_3x3_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                         const int32_t* scales, const uint8_t* shift, int8_t* out) {
  const int32_t row = p.in_width * p.in_channels;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = 0; y < p.out_height; ++y) {
      const int32_t top = y * p.stride_height - p.pad_top;
      const int8_t no_weights[3] = {0, 0, 0};
      for (int32_t c = 0; c < p.out_channels; ++c) {
        // A row outside the input takes part with weights of zero; the bias had counted it as in_zero.
        int32_t bias = scales[2 * c];
        const int8_t* weight[3];
        const int8_t* source[3];
        for (int32_t ky = 0; ky < 3; ++ky) {
          weight[ky] = weights + 9 * c + 3 * ky;
          if (static_cast<uint32_t>(top + ky) < static_cast<uint32_t>(p.in_height)) {
            source[ky] = in + (top + ky) * row + c;
          } else {
            bias += (weight[ky][0] + weight[ky][1] + weight[ky][2]) * p.in_zero;
            weight[ky] = no_weights;
            source[ky] = in + c;
          }
        }
        depthwise_row_3x3(
            p, Rows3{source[0], source[1], source[2], -p.pad_left, p.in_width, p.in_channels, p.in_zero},
            Column3{weight[0][0], weight[1][0], weight[2][0]}, Column3{weight[0][1], weight[1][1], weight[2][1]},
            Column3{weight[0][2], weight[1][2], weight[2][2]}, bias,
            Requantize(scales[2 * c + 1], shift[c], p.out_zero), out + c);
      }
      out += p.out_width * p.out_channels;
    }
    in += p.in_height * row;
  }
}

}  // namespace nn
