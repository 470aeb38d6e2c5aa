// SPDX-License-Identifier: Apache-2.0
// Blocks of pixels spread over the batch, and back. Tensors are batches x height x width x channels.
#pragma once

#include "nn/copy.hpp"

namespace nn {

// The space tensor has `batches`, the batch tensor block_y * block_x times as many; the block's place is the outer
// part of the batch index. `before_*`: padding or crop in front of the space tensor.
struct SpaceToBatch {
  int32_t batches, height, width, channels;  // of the space tensor
  int32_t block_y, block_x, before_y, before_x;
  int32_t small_height, small_width;  // of the batch tensor
  int32_t value;                      // stored in the padding

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("height", height);
    f("width", width);
    f("channels", channels);
    f("block_y", block_y);
    f("block_x", block_x);
    f("before_y", before_y);
    f("before_x", before_x);
    f("small_height", small_height);
    f("small_width", small_width);
    f("value", value);
  }
};

// One line of the batch tensor: every block_x-th pixel of a line of the space tensor (nullptr: of padding).
template <class T>
MOTE_KERNEL T* space_to_batch_line(const SpaceToBatch& p, const T* line, int32_t first_x, T* out) {
  const auto value = static_cast<T>(p.value);
  for (int32_t i = 0, x = first_x; i < p.small_width; ++i, x += p.block_x, out += p.channels) {
    if (line != nullptr && x >= 0 && x < p.width) {
      copy_elements(line + x * p.channels, out, p.channels);
    } else {
      for (int32_t c = 0; c < p.channels; ++c) out[c] = value;
    }
  }
  return out;
}

template <class T>
MOTE_KERNEL void space_to_batch(const SpaceToBatch& p, const T* in, T* out) {
  const int32_t line = p.width * p.channels;
  for (int32_t first_y = -p.before_y; first_y < p.block_y - p.before_y; ++first_y) {
    for (int32_t first_x = -p.before_x; first_x < p.block_x - p.before_x; ++first_x) {
      for (int32_t batch = 0; batch < p.batches; ++batch) {
        const T* const image = in + batch * p.height * line;
        for (int32_t i = 0, y = first_y; i < p.small_height; ++i, y += p.block_y) {
          out = space_to_batch_line(p, y >= 0 && y < p.height ? image + y * line : nullptr, first_x, out);
        }
      }
    }
  }
}

template <class T>
MOTE_KERNEL void batch_to_space(const SpaceToBatch& p, const T* in, T* out) {
  const int32_t line = p.small_width * p.channels;
  const int32_t image = p.small_height * line;
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = p.before_y; y < p.before_y + p.height; ++y) {
      const int32_t small_y = y / p.block_y;
      const int32_t block = (y - small_y * p.block_y) * p.block_x;
      int32_t small_x = p.before_x / p.block_x;
      int32_t inside = p.before_x - small_x * p.block_x;
      for (int32_t x = 0; x < p.width; ++x, out += p.channels) {
        const int32_t from_batch = (block + inside) * p.batches + batch;
        copy_elements(in + from_batch * image + small_y * line + small_x * p.channels, out, p.channels);
        if (++inside == p.block_x) {
          inside = 0;
          ++small_x;
        }
      }
    }
  }
}

}  // namespace nn
