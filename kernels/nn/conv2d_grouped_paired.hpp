// SPDX-License-Identifier: Apache-2.0
// Grouped convolution in blocks of two pixels times four output channels of a group, two channels' weights in one
// 16-bit number.
#pragma once

#include <stdint.h>

#include "nn/conv2d_groups.hpp"
#include "nn/conv2d_paired.hpp"
#include "nn/fixed.hpp"

namespace nn {

// weights and scales: those of conv2d_paired_s8 for each group. scratch: 8 bytes a pair and one byte a tap.
MOTE_KERNEL void conv2d_grouped_paired_s8(const Conv2d& p, const int8_t* in, const int16_t* weights,
                                          const int32_t* scales, int8_t* out, uint32_t* scratch) {
  const int32_t pairs = (p.kernel_height * p.kernel_width * p.group_channels + 1) >> 1;
  const int32_t blocks = (p.group_outputs + 3) >> 2;
  int8_t* const bytes = reinterpret_cast<int8_t*>(scratch);
  conv2d_by_group<2>(p, in, out,
                     [&](const WindowPlace* windows, int32_t count, int32_t group, int8_t* to) MOTE_INLINE {
                       for (int32_t i = 0; i < count; ++i) {
                         conv2d_gather_wide<true>(p, windows[i].image, windows[i].top, windows[i].left,
                                                  scratch + i, bytes + 8 * pairs);
                       }
                       paired_pixels(p, p.group_outputs, bytes, pairs, weights + group * 4 * blocks * pairs,
                                     scales + group * 12 * blocks, to, count > 1 ? to + p.out_channels : to);
                     });
}

}  // namespace nn
