// SPDX-License-Identifier: Apache-2.0
// Pooling windows over NHWC images: the parameters and the walk that average and maximum pooling share.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

template <class Limit>
struct PoolOf {
  int32_t batches, in_height, in_width, channels;
  int32_t out_height, out_width;
  int32_t stride_height, stride_width, filter_height, filter_width;
  int32_t pad_top, pad_left;
  Limit low, high;  // activation range

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("in_height", in_height);
    f("in_width", in_width);
    f("channels", channels);
    f("out_height", out_height);
    f("out_width", out_width);
    f("stride_height", stride_height);
    f("stride_width", stride_width);
    f("filter_height", filter_height);
    f("filter_width", filter_width);
    f("pad_top", pad_top);
    f("pad_left", pad_left);
    f("low", low);
    f("high", high);
  }
};

using Pool = PoolOf<int32_t>;
using PoolFloat = PoolOf<float>;

// Rounded half away from zero.
MOTE_KERNEL int32_t rounded_mean(int32_t sum, int32_t count) {
  const int32_t half = count / 2;
  return (sum > 0 ? sum + half : sum - half) / count;
}

// Calls window(first, height, width) for every output pixel in order; `first` points at the first channel of the
// window's top left pixel after clipping the window to the image.
template <class Limit, class T, class Window>
MOTE_KERNEL void for_each_pixel_window(const PoolOf<Limit>& p, const T* in, Window window) {
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t out_y = 0, top = -p.pad_top; out_y < p.out_height; ++out_y, top += p.stride_height) {
      const int32_t y = top > 0 ? top : 0;
      const int32_t height = (top + p.filter_height < p.in_height ? top + p.filter_height : p.in_height) - y;
      for (int32_t out_x = 0, left = -p.pad_left; out_x < p.out_width; ++out_x, left += p.stride_width) {
        const int32_t x = left > 0 ? left : 0;
        const int32_t width = (left + p.filter_width < p.in_width ? left + p.filter_width : p.in_width) - x;
        window(in + (y * p.in_width + x) * p.channels, height, width);
      }
    }
    in += p.in_height * p.in_width * p.channels;
  }
}

// The same for every output pixel and channel; `first` points at the channel, neighbours are `channels` apart.
template <class Limit, class T, class Window>
MOTE_KERNEL void for_each_window(const PoolOf<Limit>& p, const T* in, Window window) {
  for_each_pixel_window(p, in, [&](const T* first, int32_t height, int32_t width) MOTE_INLINE {
    for (int32_t channel = 0; channel < p.channels; ++channel) window(first + channel, height, width);
  });
}

// Folds the `height` x `width` elements of a window into `value`.
template <class Limit, class T, class Value, class Fold>
MOTE_KERNEL Value fold_window(const PoolOf<Limit>& p, const T* first, int32_t height, int32_t width, Value value,
                              Fold fold) {
  const int32_t to_next_row = (p.in_width - width) * p.channels;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      value = fold(value, *first);
      first += p.channels;
    }
    first += to_next_row;
  }
  return value;
}

}  // namespace nn
