// SPDX-License-Identifier: Apache-2.0
// Elements put elsewhere by a linear map: slices, transpositions, repetitions, blocks of space and depth.
#pragma once

#include "nn/copy.hpp"

namespace nn {

// Output element (i, j, k), k fastest, is the input's element first + table(i) + j * row_stride + k * run_stride.
// The table has a row for each of at most 10 outer dimensions, outermost first: extent, stride.
struct Move {
  int32_t first;
  int32_t dimensions;  // rows of the table
  int32_t rows, row_stride;
  int32_t run, run_stride;

  template <class F>
  constexpr void fields(F&& f) const {
    f("first", first);
    f("dimensions", dimensions);
    f("rows", rows);
    f("row_stride", row_stride);
    f("run", run);
    f("run_stride", run_stride);
  }
};

template <class T>
MOTE_KERNEL T* move_rows(const Move& p, const T* in, T* out) {
  for (int32_t j = 0; j < p.rows; ++j, in += p.row_stride) {
    if (p.run_stride == 1) {
      copy_elements(in, out, p.run);
      out += p.run;
      continue;
    }
    const T* from = in;
    for (T* const end = out + p.run; out != end; from += p.run_stride) *out++ = *from;
  }
  return out;
}

template <class T>
MOTE_KERNEL void move(const Move& p, const T* in, const int32_t* table, T* out) {
  int32_t at[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  in += p.first;
  int32_t d = 0;
  while (d >= 0) {
    out = move_rows(p, in, out);
    for (d = p.dimensions - 1; d >= 0; --d) {
      const int32_t extent = table[2 * d];
      const int32_t stride = table[2 * d + 1];
      in += stride;
      if (++at[d] < extent) break;
      at[d] = 0;
      in -= extent * stride;
    }
  }
}

MOTE_KERNEL void move_s8(const Move& p, const int8_t* in, const int32_t* table, int8_t* out) {
  move(p, in, table, out);
}
MOTE_KERNEL void move_s16(const Move& p, const int16_t* in, const int32_t* table, int16_t* out) {
  move(p, in, table, out);
}
MOTE_KERNEL void move_s32(const Move& p, const int32_t* in, const int32_t* table, int32_t* out) {
  move(p, in, table, out);
}
MOTE_KERNEL void move_s64(const Move& p, const int64_t* in, const int32_t* table, int64_t* out) {
  move(p, in, table, out);
}
MOTE_KERNEL void move_f32(const Move& p, const float* in, const int32_t* table, float* out) {
  move(p, in, table, out);
}

}  // namespace nn
