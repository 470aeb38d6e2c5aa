// SPDX-License-Identifier: Apache-2.0
// The walk of grouped convolutions: blocks of pixels, and in each block one group of channels after the other.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/fixed.hpp"

namespace nn {

// Where the window of an output pixel begins.
struct WindowPlace {
  const int8_t* image;
  int32_t top, left;
};

// `together` pixels of the output in their order, in every group: block(windows, count, group, out) with how many
// there are (the last may be fewer), windows that begin at the group's channels, and where the first pixel's
// outputs of the group go.
template <int32_t together, class Block>
MOTE_KERNEL void conv2d_by_group(const Conv2d& p, const int8_t* in, int8_t* out, const Block& block) {
  int32_t x = 0, y = 0;
  for (int32_t pixels = p.batches * p.out_height * p.out_width; pixels > 0; pixels -= together) {
    WindowPlace windows[together];
    const int32_t count = pixels < together ? pixels : together;
    for (int32_t i = 0; i < count; ++i) {
      windows[i] = {in, y * p.stride_height - p.pad_top, x * p.stride_width - p.pad_left};
      if (++x == p.out_width) {
        x = 0;
        if (++y == p.out_height) y = 0, in += p.in_height * p.in_width * p.in_channels;
      }
    }
    int8_t* to = out;
    for (int32_t group = 0; to != out + p.out_channels; ++group, to += p.group_outputs) {
      block(windows, count, group, to);
      for (int32_t i = 0; i < count; ++i) windows[i].image += p.group_channels;
    }
    out += together * p.out_channels;
  }
}

}  // namespace nn
