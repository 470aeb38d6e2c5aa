// SPDX-License-Identifier: Apache-2.0
// Grouped convolution in blocks of two pixels times four output channels of a group, sixteen taps at a time.
#pragma once

#include <stdint.h>

#include "nn/conv2d_groups.hpp"
#include "nn/conv2d_vector.hpp"
#include "nn/fixed.hpp"

namespace nn {

// weights and scales: those of conv2d_vector_s8 for each group. scratch: 2 * taps bytes.
MOTE_KERNEL void conv2d_grouped_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                          const int32_t* scales, int8_t* out, int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.group_channels;
  const int32_t blocks = (p.group_outputs + 3) >> 2;
  const int32_t group_weights = 4 * blocks * ((taps + 3) & ~3) + 16;
  conv2d_by_group<2>(
      p, in, out, [&](const WindowPlace* windows, int32_t count, int32_t group, int8_t* to) MOTE_INLINE {
        for (int32_t i = 0; i < count; ++i) {
          conv2d_gather_bytes<true>(p, windows[i].image, windows[i].top, windows[i].left, scratch + i * taps);
        }
        vector_pixels(p, p.group_outputs, scratch, taps, count, weights + group * group_weights,
                      scales + group * 9 * blocks, to);
      });
}

}  // namespace nn
