// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with any window, four pixels of a row at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"

namespace nn {

// The values of one channel: how far apart those of neighbouring pixels are (up to three; equal ones where there
// are fewer pixels), those of neighbouring taps and rows of taps.
struct DepthwiseValues {
  int32_t pixel1, pixel2, pixel3, tap, row;

  MOTE_KERNEL DepthwiseValues(int32_t pixel, int32_t pixels, int32_t next_tap, int32_t next_row)
      : pixel1(pixels > 1 ? pixel : 0),
        pixel2(pixels > 2 ? 2 * pixel : 0),
        pixel3(pixels > 3 ? 3 * pixel : 0),
        tap(next_tap),
        row(next_row) {}
};

}  // namespace nn

namespace nn {

// A row of `count` taps of four pixels, whose values begin at `value`.
template <class T>
MOTE_KERNEL void depthwise_taps(const DepthwiseValues& at, const T* value, const int8_t* weights, int32_t count,
                                int32_t& sum0, int32_t& sum1, int32_t& sum2, int32_t& sum3) {
  for (const int8_t* const end = weights + count; weights != end;) {
    const int32_t weight = *weights++;
    sum0 += value[0] * weight, sum1 += value[at.pixel1] * weight;
    sum2 += value[at.pixel2] * weight, sum3 += value[at.pixel3] * weight;
    value += at.tap;
  }
}

}  // namespace nn

#if defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul) && !defined(__riscv_32e)
#include "rv32/depthwise_taps.hpp"
#endif

namespace nn {

struct DepthwiseWindow {
  int32_t height, width;
  bool constant;  // and everything else about the layer
};

// One channel of `count` pixels, four at most, whose windows begin at `values`. `o` is a copy: the compiler cannot
// know that no output byte is a parameter.
template <class Requantization, class Results, class T>
MOTE_KERNEL void depthwise_block(DepthwiseWindow window, Results o, const DepthwiseValues& at, const T* values,
                                 const int8_t* weights, int32_t bias, const Requantization& requantize,
                                 int32_t count, T* out) {
  int32_t sum0 = bias, sum1 = bias, sum2 = bias, sum3 = bias;
  for (int32_t ky = 0; ky < window.height; ++ky) {
    if (window.constant) {
      const T* value = values;
      for (int32_t kx = 0; kx < window.width; ++kx) {
        const int32_t weight = weights[kx];
        sum0 += value[0] * weight, sum1 += value[at.pixel1] * weight;
        sum2 += value[at.pixel2] * weight, sum3 += value[at.pixel3] * weight;
        value += at.tap;
      }
    } else {
      depthwise_taps(at, values, weights, window.width, sum0, sum1, sum2, sum3);
    }
    weights += window.width;
    values += at.row;
  }
  *out = requantize(sum0, o.zero, o.low, o.high);
  if (count > 1) *(out += o.channels) = requantize(sum1, o.zero, o.low, o.high);
  if (count > 2) *(out += o.channels) = requantize(sum2, o.zero, o.low, o.high);
  if (count > 3) *(out += o.channels) = requantize(sum3, o.zero, o.low, o.high);
}

// All windows lie inside the input, which is read in its place. weights: [channels][kernel_height][kernel_width].
MOTE_KERNEL void depthwise_conv2d_inside_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants,
                                            int8_t* out) {
  const Outputs o = p.outputs;
  const PackedConstants packed(constants, o.channels);
  const int32_t taps = p.kernel_height * p.kernel_width, row = p.in_width * p.in_channels;
  const int32_t step = p.stride_width * p.in_channels;
  for (int32_t rows = p.batches * p.out_height, y = 0; rows > 0; --rows) {
    for (int32_t x = 0; x < p.out_width; x += 4) {
      const int32_t count = p.out_width % 4 == 0 || x + 4 <= p.out_width ? 4 : p.out_width - x;
      const DepthwiseValues at(step, count, p.dilation_width * p.in_channels, p.dilation_height * row);
      const int8_t* values = in + x * step;
      const int8_t* weights = packed.weights;
      int32_t more = p.multiplier;  // output channels of the input channel at `values`
      for (int32_t c = 0; c < o.channels; ++c) {
        depthwise_block({p.kernel_height, p.kernel_width, MOTE_IS_OWN(p)}, o, at, values, weights,
                        packed.scales[2 * c], Requantize(packed.scales[2 * c + 1], packed.shift[c], o.zero), count,
                        out + c);
        weights += taps;
        if (--more == 0) ++values, more = p.multiplier;
      }
      out += count * o.channels;
    }
    in += p.stride_height * row;
    if (++y == p.out_height) y = 0, in += (p.in_height - p.out_height * p.stride_height) * row;
  }
}

// Copies values that lie `step` bytes apart.
template <class T>
MOTE_KERNEL void copy_channel(const T* from, int32_t step, int32_t count, T* to) {
#if MOTE_OPTIMIZE > 0
  for (; count >= 4; count -= 4) {
    const T value0 = from[0], value1 = from[step], value2 = from[2 * step], value3 = from[3 * step];
    to[0] = value0, to[1] = value1, to[2] = value2, to[3] = value3;
    from += 4 * step, to += 4;
  }
#endif
  for (; count > 0; --count) {
    *to++ = *from;
    from += step;
  }
}

// The rows that the windows of one output row cover are gathered channel by channel, with in_zero around them: no
// window meets an edge. `scratch`: kernel_height rows of patch_width() bytes. weights as above.
template <class Requantization, class Results, class T>
MOTE_KERNEL void depthwise_patches(const PackedConv2dTo<Results>& p, const T* in, const int32_t* constants, T* out,
                                   T* scratch) {
  const Results o = p.outputs;
  const PackedConstants packed(constants, o.channels);
  const int32_t taps = p.kernel_height * p.kernel_width, row = p.in_width * p.in_channels;
  const int32_t width =
      (((p.out_width + 3) & ~3) - 1) * p.stride_width + (p.kernel_width - 1) * p.dilation_width + 1;
  const int32_t copied = p.in_width < width - p.pad_left ? p.in_width : width - p.pad_left;
  const DepthwiseValues at(p.stride_width, 4, p.dilation_width, width);
  const T zero = static_cast<T>(p.in_zero);
  for (int32_t i = 0; i < p.kernel_height * width; ++i) scratch[i] = zero;
  for (int32_t rows = p.batches * p.out_height, y = 0; rows > 0; --rows) {
    const int8_t* weights = packed.weights;
    const T* channel = in;
    int32_t more = 1;  // output channels of the input channel that was gathered
    for (int32_t c = 0; c < o.channels; ++c) {
      if (--more == 0) {
        more = p.multiplier;
        int32_t from = y * p.stride_height - p.pad_top;
        T* patch = scratch + p.pad_left;
        for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
          const bool inside = static_cast<uint32_t>(from) < p.in_height;
          copy_channel(inside ? channel + from * row : &zero, inside ? p.in_channels : 0, copied, patch);
          from += p.dilation_height;
          patch += width;
        }
        ++channel;
      }
      const Requantization requantize(packed.scales[2 * c + 1], packed.shift[c], o.zero);
      const T* values = scratch;
      T* target = out + c;
      for (int32_t left = p.out_width; left > 0; left -= 4) {
        const int32_t count = p.out_width % 4 == 0 || left >= 4 ? 4 : left;
        depthwise_block({p.kernel_height, p.kernel_width, MOTE_IS_OWN(p)}, o, at, values, weights,
                        packed.scales[2 * c], requantize, count, target);
        values += 4 * p.stride_width;
        target += 4 * o.channels;
      }
      weights += taps;
    }
    out += p.out_width * o.channels;
    if (++y == p.out_height) y = 0, in += p.in_height * row;
  }
}

MOTE_KERNEL void depthwise_conv2d_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants,
                                     int8_t* out, int8_t* scratch) {
  depthwise_patches<Requantize>(p, in, constants, out, scratch);
}

// In the place of Requantize, for 16-bit activations.
struct RequantizeHalved {
  int32_t multiplier;

  MOTE_KERNEL RequantizeHalved(int32_t channel_multiplier, int32_t, int32_t) : multiplier(channel_multiplier) {}

  MOTE_KERNEL int16_t operator()(int32_t sum, int32_t, int32_t low, int32_t high) const {
    return static_cast<int16_t>(clamp(halved_high_product(sum, multiplier), low, high));
  }
};

// The same of 16-bit activations: multipliers of halved_high_product, no shifts.
MOTE_KERNEL void depthwise_conv2d_s16(const PackedConv2d16& p, const int16_t* in, const int32_t* constants,
                                      int16_t* out, int16_t* scratch) {
  depthwise_patches<RequantizeHalved>(p, in, constants, out, scratch);
}

}  // namespace nn
