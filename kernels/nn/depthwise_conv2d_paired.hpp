// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with any window, a pixel at a time, in products of pairs of 16-bit numbers.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/depthwise_window_paired.hpp"
#include "nn/fixed.hpp"
#include "nn/window_offsets.hpp"

namespace nn {

// One output a channel, a multiple of four of them. weights and scales: see PairedWindow; an odd count of taps
// ends with a weight of zero. scratch: see for_each_offset_window.
MOTE_KERNEL void depthwise_conv2d_paired_s8(const Conv2d& p, const int8_t* in, const int16_t* weights,
                                            const int32_t* scales, int8_t* out, int32_t* scratch) {
  const int32_t even = (p.kernel_height * p.kernel_width + 1) & ~1;
  const int32_t clamps = p.low > -128 || p.high < 127 ? 1 : 0;
  for_each_offset_window(p, in, scratch, [&](const int8_t* values, const int32_t* offsets) MOTE_INLINE {
    PairedWindow window{values, offsets,        offsets + even, weights, scales,
                        out,    p.out_channels, clamps,         p.low,   p.high};
    depthwise_window_paired(window, p.in_zero);
    out += p.out_channels;
  });
}

}  // namespace nn
