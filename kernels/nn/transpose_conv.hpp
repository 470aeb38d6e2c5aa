// SPDX-License-Identifier: Apache-2.0
// Transposed convolution. The parameters are those of the convolution with the same window: in and out are this
// operator's own, stride and padding count output elements.
#pragma once

#include "nn/conv2d.hpp"
#include "nn/conv2d_s16.hpp"

namespace nn {

// Which taps of one dimension meet an output element: input element `low` with tap `tap`, the one before it with
// tap + stride, and so on; `count` of them.
struct MeetingTaps {
  int32_t tap, low, count;
};

// quotient and remainder: of (output index + padding) divided by the stride.
MOTE_KERNEL MeetingTaps taps_meeting(int32_t quotient, int32_t remainder, int32_t extent, int32_t kernel,
                                     int32_t stride) {
  MeetingTaps taps{remainder, quotient, 0};
  for (; taps.low >= extent; --taps.low) taps.tap += stride;
  for (int32_t tap = taps.tap, at = taps.low; tap < kernel && at >= 0; tap += stride, --at) ++taps.count;
  return taps;
}

template <class Params, class T, class Weight, class Sum>
MOTE_KERNEL Sum transpose_conv_window(const Params& p, const T* in, const Weight* weights, MeetingTaps rows,
                                      MeetingTaps columns, Sum in_zero, Sum sum) {
  for (int32_t i = 0; i < rows.count; ++i) {
    for (int32_t j = 0; j < columns.count; ++j) {
      const int32_t ky = rows.tap + i * p.stride_height;
      const int32_t kx = columns.tap + j * p.stride_width;
      const T* const pixel = in + ((rows.low - i) * p.in_width + columns.low - j) * p.in_channels;
      const Weight* const tap = weights + (ky * p.kernel_width + kx) * p.in_channels;
      sum = add_products(pixel, tap, p.in_channels, in_zero, sum);
    }
  }
  return sum;
}

// `finish` as for conv2d_image.
template <class Sum, class Params, class T, class Weight, class Out, class Finish>
MOTE_KERNEL void transpose_conv_plain(const Params& p, const T* in, const Weight* weights, Out* out, Sum in_zero,
                                      const Finish& finish) {
  const int32_t filter = p.kernel_height * p.kernel_width * p.in_channels;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    int32_t row = p.pad_top / p.stride_height;
    int32_t row_rest = p.pad_top % p.stride_height;
    for (int32_t y = 0; y < p.out_height; ++y) {
      const MeetingTaps rows = taps_meeting(row, row_rest, p.in_height, p.kernel_height, p.stride_height);
      int32_t column = p.pad_left / p.stride_width;
      int32_t column_rest = p.pad_left % p.stride_width;
      for (int32_t x = 0; x < p.out_width; ++x) {
        const MeetingTaps columns = taps_meeting(column, column_rest, p.in_width, p.kernel_width, p.stride_width);
        for (int32_t c = 0; c < p.out_channels; ++c) {
          const Sum sum =
              transpose_conv_window(p, in, weights + c * filter, rows, columns, in_zero, finish.start(c));
          *out++ = finish(sum, c);
        }
        if (++column_rest == p.stride_width) column_rest = 0, ++column;
      }
      if (++row_rest == p.stride_height) row_rest = 0, ++row;
    }
    in += p.in_height * p.in_width * p.in_channels;
  }
}

// weights: [out_channels][kernel_height][kernel_width][in_channels]; the rest as for the convolutions.
MOTE_KERNEL void transpose_conv_s8(const Conv2d& p, const int8_t* in, const int8_t* weights, const int32_t* bias,
                                   const int32_t* multiplier, const int8_t* shift, int8_t* out) {
  transpose_conv_plain(p, in, weights, out, static_cast<uint32_t>(p.in_zero),
                       RequantizeSum<int8_t>{bias, multiplier, shift, p.out_zero, p.low, p.high});
}

MOTE_KERNEL void transpose_conv_wide_weights_s8(const Conv2d& p, const int8_t* in, const int16_t* weights,
                                                const int32_t* bias, const int32_t* multiplier,
                                                const int8_t* shift, int8_t* out) {
  transpose_conv_plain(p, in, weights, out, static_cast<uint32_t>(p.in_zero),
                       RequantizeSum<int8_t>{bias, multiplier, shift, p.out_zero, p.low, p.high});
}

MOTE_KERNEL void transpose_conv_s16(const Conv2d& p, const int16_t* in, const int8_t* weights, const int64_t* bias,
                                    const int32_t* multiplier, const int8_t* shift, int16_t* out) {
  transpose_conv_plain(p, in, weights, out, uint64_t{0}, RequantizeSum64{bias, multiplier, shift, p.low, p.high});
}

MOTE_KERNEL void transpose_conv_narrow_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                           const int32_t* scales, int16_t* out) {
  transpose_conv_plain(p, in, weights, out, uint32_t{0}, RequantizeSum16{scales, p.low, p.high});
}

MOTE_KERNEL void transpose_conv_f32(const Conv2dF32& p, const float* in, const float* weights, const float* bias,
                                    float* out) {
  transpose_conv_plain(p, in, weights, out, 0.0F, ClampSum{bias, p.low, p.high});
}

}  // namespace nn
