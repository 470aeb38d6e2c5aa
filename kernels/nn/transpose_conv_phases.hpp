// SPDX-License-Identifier: Apache-2.0
// A transposed convolution as ordinary ones: of the outputs that lie a stride apart, all meet the same taps.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/fixed.hpp"

namespace nn {

// Of a kernel's `extent` taps those from `rest` on that lie `stride` apart; one of zeros where there are none.
MOTE_KERNEL int32_t phase_taps(int32_t extent, int32_t rest, int32_t stride) {
  return rest < extent ? (extent - rest + stride - 1) / stride : 1;
}

// The output in rows, and in each row phase after phase, `together` of its pixels at a time: gather(window, in,
// top, left, i) for the window of the i-th, then block(window, phase, count, out) for `count` of them whose
// outputs, from `out` on, lie stride_width pixels apart. `window` is an ordinary convolution of stride 1. Phases
// count rests of rows times rests of columns.
template <int32_t together, class T, class Gather, class Block>
MOTE_KERNEL void transpose_conv_phases(const Conv2d& p, const T* in, T* out, const Gather& gather,
                                       const Block& block) {
  Conv2d window = p;
  window.pad_top = window.pad_left = 1;  // windows may leave the input
  window.dilation_height = window.dilation_width = 1;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    int32_t row = p.pad_top / p.stride_height, row_rest = p.pad_top % p.stride_height;
    for (int32_t y = 0; y < p.out_height; ++y) {
      window.kernel_height = phase_taps(p.kernel_height, row_rest, p.stride_height);
      int32_t column = p.pad_left / p.stride_width, column_rest = p.pad_left % p.stride_width;
      for (int32_t first = 0; first < p.stride_width && first < p.out_width; ++first) {
        window.kernel_width = phase_taps(p.kernel_width, column_rest, p.stride_width);
        const int32_t top = row - window.kernel_height + 1;
        int32_t left = column - window.kernel_width + 1;
        for (int32_t x = first; x < p.out_width; x += together * p.stride_width) {
          int32_t count = 0;
          for (; count < together && x + count * p.stride_width < p.out_width; ++count) {
            gather(window, in, top, left++, count);
          }
          block(window, row_rest * p.stride_width + column_rest, count, out + x * p.out_channels);
        }
        if (++column_rest == p.stride_width) column_rest = 0, ++column;
      }
      if (++row_rest == p.stride_height) row_rest = 0, ++row;
      out += p.out_width * p.out_channels;
    }
    in += p.in_height * p.in_width * p.in_channels;
  }
}

}  // namespace nn
