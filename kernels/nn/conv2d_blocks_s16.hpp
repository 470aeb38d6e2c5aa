// SPDX-License-Identifier: Apache-2.0
// Windows of 16-bit values gathered for blocks of pixels.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/conv2d_runs.hpp"
#include "nn/fixed.hpp"

namespace nn {

// `together` pixels of the output in their order: gather(in, top, left, i) for the window of the i-th, then
// block(count) with how many there are; the last may be fewer.
template <int32_t together, class Gather, class Block>
MOTE_KERNEL void conv2d_in_blocks(const Conv2d& p, const int16_t* in, const Gather& gather, const Block& block) {
  int32_t x = 0, y = 0;
  for (int32_t left = p.batches * p.out_height * p.out_width; left > 0; left -= together) {
    const int32_t count = left < together ? left : together;
    for (int32_t i = 0; i < count; ++i) {
      gather(in, y * p.stride_height - p.pad_top, x * p.stride_width - p.pad_left, i);
      if (++x == p.out_width) {
        x = 0;
        if (++y == p.out_height) y = 0, in += p.in_height * p.in_width * p.in_channels;
      }
    }
    block(count);
  }
}

// The window of one pixel to every `step`-th place from `to` on, zeros for what lies outside the input.
template <int32_t step>
MOTE_KERNEL void conv2d_gather_s16(const Conv2d& p, const int16_t* in, int32_t top, int32_t left, int16_t* to) {
  conv2d_runs(
      p, in, top, left, to,
      [](const int16_t* from, int32_t count, int16_t* place) MOTE_INLINE {
        for (const int16_t* const end = from + count; from != end; place += step) *place = *from++;
        return place;
      },
      [](int32_t count, int16_t* place) MOTE_INLINE {
        for (int16_t* const end = place + step * count; place != end; place += step) *place = 0;
        return place;
      });
}

}  // namespace nn
