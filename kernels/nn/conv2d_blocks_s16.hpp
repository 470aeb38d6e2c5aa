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

// The window of one pixel to every `step`-th place from `to` on, in_zero for what lies outside the input.
template <int32_t step, class T>
MOTE_KERNEL void conv2d_gather_apart(const Conv2d& p, const T* in, int32_t top, int32_t left, T* to) {
  conv2d_runs(
      p, in, top, left, to,
      [](const T* from, int32_t count, T* place) MOTE_INLINE {
        for (const T* const end = from + count; from != end; place += step) *place = *from++;
        return place;
      },
      [&](int32_t count, T* place) MOTE_INLINE {
        for (T* const end = place + step * count; place != end; place += step) *place = static_cast<T>(p.in_zero);
        return place;
      });
}

}  // namespace nn
