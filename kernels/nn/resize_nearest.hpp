// SPDX-License-Identifier: Apache-2.0
// Resizing of NHWC images to the nearest neighbour.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// Output index i takes input index min(floor((i * step + start) / divisor), extent - 1), in both directions.
struct ResizeNearest {
  int32_t batches, in_height, in_width, channels, out_height, out_width;
  int32_t step_y, start_y, divisor_y;
  int32_t step_x, start_x, divisor_x;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("in_height", in_height);
    f("in_width", in_width);
    f("channels", channels);
    f("out_height", out_height);
    f("out_width", out_width);
    f("step_y", step_y);
    f("start_y", start_y);
    f("divisor_y", divisor_y);
    f("step_x", step_x);
    f("start_x", start_x);
    f("divisor_x", divisor_x);
  }
};

MOTE_KERNEL int32_t nearest(int32_t i, int32_t step, int32_t start, int32_t divisor, int32_t extent) {
  const int32_t index = (i * step + start) / divisor;
  return index < extent ? index : extent - 1;
}

template <class T>
MOTE_KERNEL void resize_nearest(const ResizeNearest& p, const T* in, T* out) {
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = 0; y < p.out_height; ++y) {
      const T* row = in + nearest(y, p.step_y, p.start_y, p.divisor_y, p.in_height) * p.in_width * p.channels;
      for (int32_t x = 0; x < p.out_width; ++x) {
        const T* from = row + nearest(x, p.step_x, p.start_x, p.divisor_x, p.in_width) * p.channels;
        for (const T* end = from + p.channels; from != end;) *out++ = *from++;
      }
    }
    in += p.in_height * p.in_width * p.channels;
  }
}

MOTE_KERNEL void resize_nearest_s8(const ResizeNearest& p, const int8_t* in, int8_t* out) {
  resize_nearest(p, in, out);
}
MOTE_KERNEL void resize_nearest_f32(const ResizeNearest& p, const float* in, float* out) { resize_nearest(p, in, out); }

}  // namespace nn
