// SPDX-License-Identifier: Apache-2.0
// Convolution with any stride, dilation, padding and grouping: the plain kernels, which handle everything.
#pragma once

#include <stdint.h>

#include "nn/dot_f32.hpp"
#include "nn/fixed.hpp"

namespace nn {

// NHWC. Output channel c reads the input channels [c / group_outputs * group_channels, + group_channels): ordinary
// convolution has one group, a depthwise one has group_channels 1 and group_outputs = depth multiplier.
struct Conv2d {
  int32_t batches, in_height, in_width, in_channels;
  int32_t out_height, out_width, out_channels;
  int32_t kernel_height, kernel_width, group_channels, group_outputs;
  int32_t stride_height, stride_width, dilation_height, dilation_width;
  int32_t pad_top, pad_left;
  int32_t in_zero, out_zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("in_height", in_height), f("in_width", in_width), f("in_channels", in_channels);
    f("out_height", out_height), f("out_width", out_width), f("out_channels", out_channels);
    f("kernel_height", kernel_height), f("kernel_width", kernel_width);
    f("group_channels", group_channels), f("group_outputs", group_outputs);
    f("stride_height", stride_height), f("stride_width", stride_width);
    f("dilation_height", dilation_height), f("dilation_width", dilation_width);
    f("pad_top", pad_top), f("pad_left", pad_left);
    f("in_zero", in_zero), f("out_zero", out_zero), f("low", low), f("high", high);
  }
};

struct Conv2dF32 {
  int32_t batches, in_height, in_width, in_channels;
  int32_t out_height, out_width, out_channels;
  int32_t kernel_height, kernel_width, group_channels, group_outputs;
  int32_t stride_height, stride_width, dilation_height, dilation_width;
  int32_t pad_top, pad_left;
  float low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("in_height", in_height), f("in_width", in_width), f("in_channels", in_channels);
    f("out_height", out_height), f("out_width", out_width), f("out_channels", out_channels);
    f("kernel_height", kernel_height), f("kernel_width", kernel_width);
    f("group_channels", group_channels), f("group_outputs", group_outputs);
    f("stride_height", stride_height), f("stride_width", stride_width);
    f("dilation_height", dilation_height), f("dilation_width", dilation_width);
    f("pad_top", pad_top), f("pad_left", pad_left);
    f("low", low), f("high", high);
  }
};

// Taps [low, high) of a window that starts at `origin` and lie inside [0, extent).
struct Taps {
  int32_t low, high;
};
MOTE_KERNEL Taps taps_inside(int32_t origin, int32_t extent, int32_t kernel, int32_t dilation) {
  Taps taps{0, kernel};
  while (taps.low < taps.high && origin + taps.low * dilation < 0) ++taps.low;
  while (taps.low < taps.high && origin + (taps.high - 1) * dilation >= extent) --taps.high;
  return taps;
}

// sum + products of neighbouring values, less in_zero, with weights. Sum is unsigned for integers: a sum beyond
// its bits wraps, as it does on the cores, instead of being undefined. Real values have no zero point.
template <class T, class Weight, class Sum>
MOTE_KERNEL Sum add_products(const T* values, const Weight* weights, int32_t count, Sum in_zero, Sum sum) {
  for (int32_t k = 0; k < count; ++k) {
    sum += (static_cast<Sum>(values[k]) - in_zero) * static_cast<Sum>(weights[k]);
  }
  return sum;
}
MOTE_KERNEL float add_products(const float* values, const float* weights, int32_t count, float, float sum) {
  return dot_f32(values, weights, count, sum);
}

// The sum over one window of one output channel, from `sum` on; `in` and `weights` are those of the channel's
// batch and group.
template <class Params, class T, class Weight, class Sum>
MOTE_KERNEL Sum conv2d_window(const Params& p, const T* in, const Weight* weights, int32_t top, int32_t left,
                              Taps rows, Taps columns, Sum in_zero, Sum sum) {
  for (int32_t ky = rows.low; ky < rows.high; ++ky) {
    for (int32_t kx = columns.low; kx < columns.high; ++kx) {
      const int32_t y = top + ky * p.dilation_height;
      const int32_t x = left + kx * p.dilation_width;
      const T* const pixel = in + (y * p.in_width + x) * p.in_channels;
      const Weight* const tap = weights + (ky * p.kernel_width + kx) * p.group_channels;
      sum = add_products(pixel, tap, p.group_channels, in_zero, sum);
    }
  }
  return sum;
}

// One image. `finish(sum, channel)` makes an output element of a window's sum, which began at
// `finish.start(channel)`. Returns the end of the output.
template <class Sum, class Params, class T, class Weight, class Out, class Finish>
MOTE_KERNEL Out* conv2d_image(const Params& p, const T* in, const Weight* weights, Out* out, Sum in_zero,
                              const Finish& finish) {
  const int32_t filter = p.kernel_height * p.kernel_width * p.group_channels;
  for (int32_t y = 0; y < p.out_height; ++y) {
    const int32_t top = y * p.stride_height - p.pad_top;
    const Taps rows = taps_inside(top, p.in_height, p.kernel_height, p.dilation_height);
    for (int32_t x = 0; x < p.out_width; ++x) {
      const int32_t left = x * p.stride_width - p.pad_left;
      const Taps columns = taps_inside(left, p.in_width, p.kernel_width, p.dilation_width);
      for (int32_t c = 0; c < p.out_channels; ++c) {
        const T* const group = in + c / p.group_outputs * p.group_channels;
        *out++ = finish(
            conv2d_window(p, group, weights + c * filter, top, left, rows, columns, in_zero, finish.start(c)), c);
      }
    }
  }
  return out;
}

// All images of the batch.
template <class Sum, class Params, class T, class Weight, class Out, class Finish>
MOTE_KERNEL void conv2d_plain(const Params& p, const T* in, const Weight* weights, Out* out, Sum in_zero,
                              const Finish& finish) {
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    out = conv2d_image(p, in, weights, out, in_zero, finish);
    in += p.in_height * p.in_width * p.in_channels;
  }
}

// From a sum to an output element, for all shapes of windows. int32 sums with gemmlowp's two roundings: multiplier
// and shift as in fixed.hpp.
template <class Out>
struct RequantizeSum {
  const int32_t *bias, *multiplier;
  const int8_t* shift;
  int32_t out_zero, low, high;

  MOTE_KERNEL uint32_t start(int32_t c) const { return static_cast<uint32_t>(bias[c]); }
  MOTE_KERNEL Out operator()(uint32_t sum, int32_t c) const {
    const int32_t scaled = multiply_by_quantized_multiplier(static_cast<int32_t>(sum), multiplier[c], shift[c]);
    return static_cast<Out>(clamp(scaled + out_zero, low, high));
  }
};

struct ClampSum {
  const float* bias;
  float low, high;

  MOTE_KERNEL float start(int32_t c) const { return bias[c]; }
  MOTE_KERNEL float operator()(float sum, int32_t) const { return sum < low ? low : sum > high ? high : sum; }
};

// weights: [out_channels][kernel_height][kernel_width][group_channels].
MOTE_KERNEL void conv2d_s8(const Conv2d& p, const int8_t* in, const int8_t* weights, const int32_t* bias,
                           const int32_t* multiplier, const int8_t* shift, int8_t* out) {
  conv2d_plain(p, in, weights, out, static_cast<uint32_t>(p.in_zero),
               RequantizeSum<int8_t>{bias, multiplier, shift, p.out_zero, p.low, p.high});
}

// The same with weights that 8 bits do not hold, because they have a zero point, which is subtracted already.
MOTE_KERNEL void conv2d_wide_weights_s8(const Conv2d& p, const int8_t* in, const int16_t* weights,
                                        const int32_t* bias, const int32_t* multiplier, const int8_t* shift,
                                        int8_t* out) {
  conv2d_plain(p, in, weights, out, static_cast<uint32_t>(p.in_zero),
               RequantizeSum<int8_t>{bias, multiplier, shift, p.out_zero, p.low, p.high});
}

MOTE_KERNEL void conv2d_f32(const Conv2dF32& p, const float* in, const float* weights, const float* bias,
                            float* out) {
  conv2d_plain(p, in, weights, out, 0.0F, ClampSum{bias, p.low, p.high});
}

}  // namespace nn
