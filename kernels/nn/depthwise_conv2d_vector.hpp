// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with any window, a pixel at a time, sixteen channels at a time.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/depthwise_window_vector.hpp"
#include "nn/fixed.hpp"
#include "nn/window_offsets.hpp"

namespace nn {

// One output a channel. weights and scales: see VectorWindow; an odd count of taps ends with weights of zero.
// scratch: see for_each_offset_window.
MOTE_KERNEL void depthwise_conv2d_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                            const int32_t* scales, int8_t* out, int32_t* scratch) {
  const int32_t pairs = (p.kernel_height * p.kernel_width + 1) >> 1;
  for_each_offset_window(p, in, scratch, [&](const int8_t* values, const int32_t* offsets) MOTE_INLINE {
    depthwise_window_vector(
        {values, offsets, pairs, weights, scales, out, p.out_channels, p.out_zero, p.low, p.high}, p.in_zero);
    out += p.out_channels;
  });
}

}  // namespace nn
