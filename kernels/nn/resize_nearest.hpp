// SPDX-License-Identifier: Apache-2.0
// Resizing of NHWC images to the nearest neighbour.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// Output index i takes input index min(floor((i * step + start) / divisor), extent - 1), in both directions. A
// strip of rows counts from the whole output's `first_row` on, and its input begins with the row that this one
// takes; in_height is the whole input's. first_row -1: no strip.
struct ResizeNearest {
  int32_t batches, in_height, in_width, channels, out_height, out_width, first_row;
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
    f("first_row", first_row);
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

// Copies pixel (row_of(y), column_of(x)) to pixel (y, x).
template <class Params, class T, class RowOf, class ColumnOf>
MOTE_KERNEL void copy_pixels(const Params& p, const T* in, T* out, RowOf row_of, ColumnOf column_of) {
  const int32_t first = p.first_row < 0 ? 0 : p.first_row;
  const int32_t first_in = p.first_row < 0 ? 0 : row_of(first);
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = first; y < first + p.out_height; ++y) {
      const T* row = in + (row_of(y) - first_in) * p.in_width * p.channels;
      for (int32_t x = 0; x < p.out_width; ++x) {
        const T* from = row + column_of(x) * p.channels;
        for (const T* end = from + p.channels; from != end;) *out++ = *from++;
      }
    }
    in += p.in_height * p.in_width * p.channels;
  }
}

template <class T>
MOTE_KERNEL void resize_nearest(const ResizeNearest& p, const T* in, T* out) {
  copy_pixels(
      p, in, out, [&](int32_t y) { return nearest(y, p.step_y, p.start_y, p.divisor_y, p.in_height); },
      [&](int32_t x) { return nearest(x, p.step_x, p.start_x, p.divisor_x, p.in_width); });
}

MOTE_KERNEL void resize_nearest_s8(const ResizeNearest& p, const int8_t* in, int8_t* out) {
  resize_nearest(p, in, out);
}
MOTE_KERNEL void resize_nearest_s16(const ResizeNearest& p, const int16_t* in, int16_t* out) {
  resize_nearest(p, in, out);
}
MOTE_KERNEL void resize_nearest_s32(const ResizeNearest& p, const int32_t* in, int32_t* out) {
  resize_nearest(p, in, out);
}
MOTE_KERNEL void resize_nearest_s64(const ResizeNearest& p, const int64_t* in, int64_t* out) {
  resize_nearest(p, in, out);
}
MOTE_KERNEL void resize_nearest_f32(const ResizeNearest& p, const float* in, float* out) {
  resize_nearest(p, in, out);
}

// For sizes at which the reference's single precision misses the exact place: the indices come from tables.
struct ResizeNearestTable {
  int32_t batches, in_height, in_width, channels, out_height, out_width, first_row;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("in_height", in_height);
    f("in_width", in_width);
    f("channels", channels);
    f("out_height", out_height);
    f("out_width", out_width);
    f("first_row", first_row);
  }
};

template <class T>
MOTE_KERNEL void resize_nearest_table(const ResizeNearestTable& p, const T* in, const int16_t* rows,
                                      const int16_t* columns, T* out) {
  copy_pixels(
      p, in, out, [&](int32_t y) { return rows[y]; }, [&](int32_t x) { return columns[x]; });
}

MOTE_KERNEL void resize_nearest_table_s8(const ResizeNearestTable& p, const int8_t* in, const int16_t* rows,
                                         const int16_t* columns, int8_t* out) {
  resize_nearest_table(p, in, rows, columns, out);
}
MOTE_KERNEL void resize_nearest_table_s16(const ResizeNearestTable& p, const int16_t* in, const int16_t* rows,
                                          const int16_t* columns, int16_t* out) {
  resize_nearest_table(p, in, rows, columns, out);
}
MOTE_KERNEL void resize_nearest_table_s32(const ResizeNearestTable& p, const int32_t* in, const int16_t* rows,
                                          const int16_t* columns, int32_t* out) {
  resize_nearest_table(p, in, rows, columns, out);
}
MOTE_KERNEL void resize_nearest_table_s64(const ResizeNearestTable& p, const int64_t* in, const int16_t* rows,
                                          const int16_t* columns, int64_t* out) {
  resize_nearest_table(p, in, rows, columns, out);
}
MOTE_KERNEL void resize_nearest_table_f32(const ResizeNearestTable& p, const float* in, const int16_t* rows,
                                          const int16_t* columns, float* out) {
  resize_nearest_table(p, in, rows, columns, out);
}

}  // namespace nn
