// SPDX-License-Identifier: Apache-2.0
// Parameters and constants of the convolutions with packed weights, in as few bytes as they fit in: every layer
// has its own.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/requantize.hpp"

namespace nn {

// What becomes of a pixel's sums.
struct Outputs {
  uint16_t channels;
  int8_t zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("zero", zero), f("low", low), f("high", high);
  }
};

// The same of 16-bit outputs, whose zero point is 0.
struct Outputs16 {
  static constexpr int32_t zero = 0;
  uint16_t channels;
  int16_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("low", low), f("high", high);
  }
};

// As Conv2d. `multiplier`: output channels an input channel of a depthwise convolution.
template <class Results>
struct PackedConv2dTo {
  uint16_t in_height, in_width, in_channels, out_height, out_width, multiplier;
  uint8_t batches, kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int8_t pad_top, pad_left, in_zero;
  Results outputs;

  template <class F>
  constexpr void fields(F&& f) const {
    f("in_height", in_height), f("in_width", in_width), f("in_channels", in_channels);
    f("out_height", out_height), f("out_width", out_width), f("multiplier", multiplier);
    f("batches", batches), f("kernel_height", kernel_height), f("kernel_width", kernel_width);
    f("stride_height", stride_height), f("stride_width", stride_width);
    f("dilation_height", dilation_height), f("dilation_width", dilation_width);
    f("pad_top", pad_top), f("pad_left", pad_left), f("in_zero", in_zero);
    f("outputs", outputs);
  }
};

using PackedConv2d = PackedConv2dTo<Outputs>;
using PackedConv2d16 = PackedConv2dTo<Outputs16>;

// A layer's constants lie behind each other, so that one address finds them all:
//   int32_t scales[channels][2]   {bias - in_zero * sum of weights, multiplier} of Requantize
//   uint8_t shift[channels]       of Requantize
//   int8_t weights[]
// where channels is rounded up to a multiple of 4.
struct PackedConstants {
  const int32_t* scales;
  const uint8_t* shift;
  const int8_t* weights;

  MOTE_KERNEL PackedConstants(const int32_t* constants, int32_t channels)
      : scales(constants),
        shift(reinterpret_cast<const uint8_t*>(constants + 2 * ((channels + 3) & ~3))),
        weights(reinterpret_cast<const int8_t*>(shift + ((channels + 3) & ~3))) {}
};

// Where speed and size count, of functions in which little of the time is spent.
#if MOTE_OPTIMIZE == 1
#define MOTE_RARE __attribute__((cold))
#else
#define MOTE_RARE
#endif

// Writes the outputs of up to four channels (`left` of them are there) and `pixels` pixels; their sums follow each
// other, the pixels of one channel first. Called: the loops that make the sums leave no registers for it. In few
// bytes it is inlined where it has one caller.
#if MOTE_OPTIMIZE == 0
static inline void
#else
MOTE_RARE MOTE_SHARED void
#endif
write_outputs(const Outputs& p, const int32_t* sums, int32_t pixels, const int32_t* scales, const uint8_t* shift,
              int32_t left, int8_t* out) {
  MOTE_HAS_EFFECTS;
  for (int32_t c = 0; c < 4 && c < left; ++c) {
    const Requantize requantize(scales[2 * c + 1], shift[c], p.zero);
    int8_t* target = out + c;
    for (int32_t i = 0; i < pixels; ++i) {
      *target = requantize(*sums++, p.zero, p.low, p.high);
      target += p.channels;
    }
  }
}

}  // namespace nn
