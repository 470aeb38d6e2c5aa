// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks where a channel's numbers are beyond Requantize: every output takes gemmlowp's two
// roundings.
#pragma once

#include <stdint.h>

#include "nn/conv2d_4x4.hpp"
#include "nn/depthwise_conv2d.hpp"
#include "nn/fixed.hpp"
#include "nn/fully_connected.hpp"

namespace nn {

// In the place of Requantize: any shift, 1 less of it to the right, and any sum.
struct RequantizeExact {
  int32_t multiplier, shift;

  MOTE_KERNEL RequantizeExact(int32_t channel_multiplier, uint8_t channel_shift, int32_t)
      : multiplier(channel_multiplier), shift(1 - static_cast<int8_t>(channel_shift)) {}

  MOTE_KERNEL int8_t operator()(int32_t sum, int32_t out_zero, int32_t low, int32_t high) const {
    return static_cast<int8_t>(
        clamp(multiply_by_quantized_multiplier(sum, multiplier, shift) + out_zero, low, high));
  }
};

// As write_outputs.
MOTE_SHARED void write_outputs_exact(const Outputs& p, const int32_t* sums, int32_t pixels, const int32_t* scales,
                                     const uint8_t* shift, int32_t left, int8_t* out) {
  MOTE_HAS_EFFECTS;
  for (int32_t c = 0; c < 4 && c < left; ++c) {
    const RequantizeExact requantize(scales[2 * c + 1], shift[c], p.zero);
    int8_t* target = out + c;
    for (int32_t i = 0; i < pixels; ++i) {
      *target = requantize(*sums++, p.zero, p.low, p.high);
      target += p.channels;
    }
  }
}

// All channels of `pixels` pixels, four or one; values[4 * k + pixel], or values[k] of one.
MOTE_KERNEL void pixels_exact(const Outputs& p, const int8_t* values, int32_t step, int32_t pixels, int32_t taps,
                              const int32_t* constants, int8_t* out) {
  PackedConstants packed(constants, p.channels);
  for (int32_t left = p.channels; left > 0; left -= 4) {
    int32_t sums[16];
    if (pixels == 4) {
      multiply_4x4(values, values + 4 * taps, packed.weights, packed.scales, sums);
    } else {
      multiply_1x4(values, step, taps, packed.weights, packed.scales, sums);
    }
    write_outputs_exact(p, sums, pixels, packed.scales, packed.shift, left, out);
    packed.weights += 4 * ((taps + 1) & ~1);
    packed.scales += 8, packed.shift += 4, out += 4;
  }
}

// constants and scratch: as for conv2d_4x4_s8.
MOTE_KERNEL void conv2d_exact_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                 int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  conv2d_by_four(p, in, scratch, [&](int32_t count) MOTE_INLINE {
    const int32_t together = count == 4 ? 4 : 1;
    for (int32_t i = 0; i < count; i += together) {
      pixels_exact(p.outputs, scratch + i, 4, together, taps, constants, out);
      out += together * p.outputs.channels;
    }
  });
}

MOTE_KERNEL void fully_connected_exact_s8(const FullyConnected& p, const int8_t* in, const int32_t* constants,
                                          int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    pixels_exact(p.outputs, in, 1, 1, p.in_channels, constants, out);
    in += p.in_channels;
    out += p.outputs.channels;
  }
}

// constants and scratch: as for depthwise_conv2d_s8.
MOTE_KERNEL void depthwise_conv2d_exact_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants,
                                           int8_t* out, int8_t* scratch) {
  depthwise_patches<RequantizeExact>(p, in, constants, out, scratch);
}

}  // namespace nn
