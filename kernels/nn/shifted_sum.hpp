// SPDX-License-Identifier: Apache-2.0
// Convolution and dense layers whose sums are scaled by an integer and shifted, rounding down; biases are in steps
// of the output.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

struct ShiftedSum {
  int32_t batches, in_height, in_width, in_channels;
  int32_t out_height, out_width, out_channels;
  int32_t kernel_height, kernel_width;
  int32_t stride_height, stride_width, pad_top, pad_left;
  int32_t group_channels,
      group_outputs;          // an output channel reads that many input channels; so many read the same
  int32_t multiplier, shift;  // shift 0 to 62
  int32_t sum_low, sum_high;  // of the scaled sum, before the bias
  int32_t low, high;          // of the output

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("in_height", in_height);
    f("in_width", in_width);
    f("in_channels", in_channels);
    f("out_height", out_height);
    f("out_width", out_width);
    f("out_channels", out_channels);
    f("kernel_height", kernel_height);
    f("kernel_width", kernel_width);
    f("stride_height", stride_height);
    f("stride_width", stride_width);
    f("pad_top", pad_top);
    f("pad_left", pad_left);
    f("group_channels", group_channels);
    f("group_outputs", group_outputs);
    f("multiplier", multiplier);
    f("shift", shift);
    f("sum_low", sum_low);
    f("sum_high", sum_high);
    f("low", low);
    f("high", high);
  }
};

// floor(x * multiplier / 2^shift), which must fit 32 bits; shift 0 to 62.
MOTE_KERNEL int32_t multiply_and_shift_down(int32_t x, int32_t multiplier, int32_t shift) {
  const int32_t high = high_product(x, multiplier);
  if (shift >= 32) return high >> (shift - 32);
  const uint32_t low = static_cast<uint32_t>(x) * static_cast<uint32_t>(multiplier);
  if (shift == 0) return static_cast<int32_t>(low);
  return static_cast<int32_t>(static_cast<uint32_t>(high) << (32 - shift) | low >> shift);
}

// What an output channel makes of its sum.
MOTE_KERNEL int8_t shifted_output(const ShiftedSum& p, int32_t sum, int32_t bias) {
  const int32_t scaled = clamp(multiply_and_shift_down(sum, p.multiplier, p.shift), p.sum_low, p.sum_high);
  return static_cast<int8_t>(clamp(scaled + bias, p.low, p.high));
}

// Adds to each of four sums the products of `count` numbers with a row of weights; rows are `stride` apart.
MOTE_SHARED void add_products_1x4(const int8_t* in, const int8_t* weights, int32_t stride, int32_t count,
                                  int32_t* sums) {
  MOTE_HAS_EFFECTS;
  const int8_t* const second = weights + stride;
  const int8_t* const third = second + stride;
  const int8_t* const fourth = third + stride;
  int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int32_t i = 0; i < count; ++i) {
    const int32_t x = in[i];
    a += x * weights[i];
    b += x * second[i];
    c += x * third[i];
    d += x * fourth[i];
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

// The sums of `count` (4, or 1) output channels from `channel` on, for the window whose first pixel is (y, x);
// pixels outside the image are 0. `weights`: [out][height][width][group_channels].
MOTE_KERNEL void shifted_window(const ShiftedSum& p, const int8_t* image, const int8_t* weights, int32_t y,
                                int32_t x, int32_t channel, int32_t count, int32_t* sums) {
  const int32_t row = p.kernel_width * p.group_channels;
  const int32_t window = p.kernel_height * row;
  const int32_t first_channel = channel / p.group_outputs * p.group_channels;
  const int32_t begin = x < 0 ? -x : 0;
  const int32_t end = x + p.kernel_width > p.in_width ? p.in_width - x : p.kernel_width;
  const bool whole_rows = p.group_channels == p.in_channels;  // a window's row is one piece of memory
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    if (y + ky < 0 || y + ky >= p.in_height) continue;
    for (int32_t kx = begin; kx < end; kx += whole_rows ? p.kernel_width : 1) {
      const int8_t* const pixel = image + ((y + ky) * p.in_width + x + kx) * p.in_channels + first_channel;
      const int8_t* const first = weights + channel * window + ky * row + kx * p.group_channels;
      const int32_t length = whole_rows ? (end - kx) * p.group_channels : p.group_channels;
      if (count == 4) {
        add_products_1x4(pixel, first, window, length, sums);
      } else {
        for (int32_t i = 0; i < length; ++i) sums[0] += pixel[i] * first[i];
      }
    }
  }
}

MOTE_KERNEL void shifted_sum_s8(const ShiftedSum& p, const int8_t* in, const int8_t* weights, const int32_t* bias,
                                int8_t* out) {
  const int32_t image = p.in_height * p.in_width * p.in_channels;
  for (int32_t b = 0; b < p.batches; ++b, in += image) {
    for (int32_t y = 0; y < p.out_height; ++y) {
      for (int32_t x = 0; x < p.out_width; ++x, out += p.out_channels) {
        const int32_t top = y * p.stride_height - p.pad_top, left = x * p.stride_width - p.pad_left;
        int32_t channel = 0;
        while (channel < p.out_channels) {
          // Four at a time where they read the same inputs.
          const int32_t count = channel % p.group_outputs + 4 <= p.group_outputs ? 4 : 1;
          int32_t sums[4] = {0, 0, 0, 0};
          shifted_window(p, in, weights, top, left, channel, count, sums);
          for (int32_t i = 0; i < count; ++i) out[channel + i] = shifted_output(p, sums[i], bias[channel + i]);
          channel += count;
        }
      }
    }
  }
}

}  // namespace nn
