// SPDX-License-Identifier: Apache-2.0
// One row of a depthwise 3x3 convolution, channel by channel: its innermost loops.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"
#include "nn/requantize.hpp"

namespace nn {

// The three input rows that are read may be one off those that the window covers, at the input's first and last
// row: then `uncovered` is -1 where the first of them is not covered, 1 for the last, else 0. An input of two rows
// has that one twice. Of the columns that windows cover only the first and the last may lie outside the input.
// What lies outside counts as in_zero.
struct DepthwiseChannelRow {
  const int8_t *in, *weights;  // the first channel's first value inside; [channels][3][3]
  const int32_t* scales;
  const uint8_t* shift;
  int8_t* out;
  int32_t channels, uncovered;
  int32_t second, third;  // rows, in bytes from the first; to the next column there are as many as channels
  int32_t first_outside, last_outside, in_zero, stride;
  int32_t inner;  // outputs, less one
  int32_t zero, low, high;
  // Of the assembly: what negative products have added, bytes of the columns without the last one and where they
  // end, the sign if the stride is two.
  int32_t ties, span, two;
  const int8_t* end;
};

// One column of a window, three rows high.
struct Column3 {
  int32_t top, middle, bottom;

  MOTE_KERNEL int32_t times(const Column3& weights) const {
    return top * weights.top + middle * weights.middle + bottom * weights.bottom;
  }
};

// Columns stream through: each takes part in up to three sums that are under way, so that no window has to move
// from register to register.
MOTE_KERNEL void depthwise_channel_3x3(const DepthwiseChannelRow& r, const int8_t* in, const int8_t* w,
                                       int32_t bias, const Requantize& requantize, int8_t* out) {
  const int32_t top = r.uncovered < 0 ? 0 : 1, bottom = r.uncovered > 0 ? 0 : 1;
  if (r.uncovered != 0) {
    const int8_t* const outside = r.uncovered < 0 ? w + 9 : w - 3;
    bias += r.in_zero * (outside[0] + outside[1] + outside[2]);
  }
  const Column3 left{w[0] * top, w[3], w[6] * bottom}, middle{w[1] * top, w[4], w[7] * bottom},
      right{w[2] * top, w[5], w[8] * bottom};
  const Column3 outside{r.in_zero, r.in_zero, r.in_zero};
  const auto next = [&]() MOTE_INLINE {
    const Column3 column{in[0], in[r.second], in[r.third]};
    in += r.channels;
    return column;
  };
  int32_t first = bias + (r.first_outside != 0 ? outside : next()).times(left);
  Column3 column = next();
  first += column.times(middle);
  int32_t second = bias + column.times(left);
  for (int32_t i = 0; i < r.inner; ++i) {
    column = next();
    *out = requantize(first + column.times(right), r.zero, r.low, r.high);
    out += r.channels;
    if (r.stride != 1) {
      second = bias + column.times(left);
      column = next();
    }
    first = second + column.times(middle);
    if (r.stride == 1) second = bias + column.times(left);
  }
  first += (r.last_outside != 0 ? outside : next()).times(right);
  *out = requantize(first, r.zero, r.low, r.high);
}

MOTE_KERNEL void depthwise_channels_inlined_3x3(DepthwiseChannelRow r) {
  for (int32_t c = 0; c < r.channels; ++c) {
    depthwise_channel_3x3(r, r.in++, r.weights, r.scales[0], Requantize(r.scales[1], *r.shift++, r.zero), r.out++);
    r.weights += 9, r.scales += 2;
  }
}

}  // namespace nn

// The same, called: layers share it. Moves the pointers.
#if defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul) && !defined(__riscv_32e)
#include "rv32/depthwise_channels_3x3.hpp"
#else
namespace nn {

MOTE_SHARED void depthwise_channels_3x3(DepthwiseChannelRow& r) {
  MOTE_HAS_EFFECTS;
  depthwise_channels_inlined_3x3(r);
}

}  // namespace nn
#endif
