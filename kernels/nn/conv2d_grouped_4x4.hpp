// SPDX-License-Identifier: Apache-2.0
// Grouped convolution in blocks of four pixels times four output channels of a group.
#pragma once

#include <stdint.h>

#include "nn/conv2d_groups.hpp"
#include "nn/conv2d_runs.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"
#include "nn/multiply_4x4.hpp"
#include "nn/packed.hpp"

namespace nn {

// A group's channels of one of four pixels' windows, to every fourth byte.
MOTE_KERNEL void conv2d_gather_spread(const Conv2d& p, const WindowPlace& window, int8_t* to) {
  conv2d_runs<true>(
      p, window.image, window.top, window.left, to,
      [](const int8_t* from, int32_t count, int8_t* place) MOTE_INLINE {
        for (const int8_t* const end = from + count; from != end; place += 4) *place = *from++;
        return place;
      },
      [&](int32_t count, int8_t* place) MOTE_INLINE {
        for (int8_t* const end = place + 4 * count; place != end; place += 4) {
          *place = static_cast<int8_t>(p.in_zero);
        }
        return place;
      });
}

// four(patch, taps, constants, out) makes the outputs of a group for four pixels, one behind the other; one(...)
// those of a pixel whose values are every fourth byte. constants: those of conv2d_4x4_s8 for each group. scratch:
// a word a tap, taps rounded up to a multiple of 2, and one an output of a group.
template <class Four, class One>
MOTE_KERNEL void conv2d_groups_by_four(const Conv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                       int8_t* scratch, const Four& four, const One& one) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.group_channels;
  const int32_t even = (taps + 1) & ~1, padded = (p.group_outputs + 3) & ~3;
  int8_t* const outputs = scratch + 4 * even;
  conv2d_by_group<4>(p, in, out,
                     [&](const WindowPlace* windows, int32_t count, int32_t group, int8_t* to) MOTE_INLINE {
                       for (int32_t i = 0; i < count; ++i) conv2d_gather_spread(p, windows[i], scratch + i);
                       const int32_t* const own = constants + group * (padded * (9 + even) >> 2);
                       if (count < 4) {
                         for (int32_t i = 0; i < count; ++i) one(scratch + i, taps, own, to + i * p.out_channels);
                         return;
                       }
                       four(scratch, taps, own, outputs);
                       const int8_t* from = outputs;
                       for (int32_t i = 0; i < 4; ++i) {
                         for (int32_t c = 0; c < p.group_outputs; ++c) to[i * p.out_channels + c] = *from++;
                       }
                     });
}

MOTE_KERNEL Outputs group_outputs(const Conv2d& p) {
  return {static_cast<uint16_t>(p.group_outputs), static_cast<int8_t>(p.out_zero), static_cast<int8_t>(p.low),
          static_cast<int8_t>(p.high)};
}

MOTE_KERNEL void conv2d_grouped_4x4_s8(const Conv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                       int8_t* scratch) {
  const Outputs o = group_outputs(p);
  conv2d_groups_by_four(
      p, in, constants, out, scratch,
      [&](const int8_t* patch, int32_t taps, const int32_t* own, int8_t* to)
          MOTE_INLINE { pixels_4x4(o, patch, taps, own, to); },
      [&](const int8_t* patch, int32_t taps, const int32_t* own, int8_t* to)
          MOTE_INLINE { pixel_1x4(o, patch, 4, taps, own, to); });
}

}  // namespace nn
