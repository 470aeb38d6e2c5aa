// SPDX-License-Identifier: Apache-2.0
// Padding with the tensor's own mirror image.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// `edge`: 1 where the mirror repeats the element at the edge (symmetric), 0 where it does not (reflect).
struct MirrorPad {
  int32_t dimensions;  // at most 6, outermost first
  int32_t edge;

  template <class F>
  constexpr void fields(F&& f) const {
    f("dimensions", dimensions);
    f("edge", edge);
  }
};

MOTE_KERNEL int32_t mirrored(int32_t i, int32_t extent, int32_t edge) {
  if (i < 0) i = -i - edge;
  return i < extent ? i : 2 * (extent - 1) + edge - i;
}

// The table has a row for each dimension: input extent, its stride, padding before, output extent.
template <class T>
MOTE_KERNEL void mirror_pad(const MirrorPad& p, const T* in, const int32_t* table, T* out) {
  int32_t at[6] = {0, 0, 0, 0, 0, 0};
  const int32_t* const inner = table + 4 * (p.dimensions - 1);
  int32_t d = 0;
  while (d >= 0) {
    const T* row = in;
    for (int32_t i = 0; i < p.dimensions - 1; ++i) {
      const int32_t* const dimension = table + 4 * i;
      row += mirrored(at[i] - dimension[2], dimension[0], p.edge) * dimension[1];
    }
    for (int32_t i = -inner[2]; i < inner[3] - inner[2]; ++i) *out++ = row[mirrored(i, inner[0], p.edge)];
    for (d = p.dimensions - 2; d >= 0; --d) {
      if (++at[d] < table[4 * d + 3]) break;
      at[d] = 0;
    }
  }
}

MOTE_KERNEL void mirror_pad_s8(const MirrorPad& p, const int8_t* in, const int32_t* table, int8_t* out) {
  mirror_pad(p, in, table, out);
}
MOTE_KERNEL void mirror_pad_s16(const MirrorPad& p, const int16_t* in, const int32_t* table, int16_t* out) {
  mirror_pad(p, in, table, out);
}
MOTE_KERNEL void mirror_pad_s32(const MirrorPad& p, const int32_t* in, const int32_t* table, int32_t* out) {
  mirror_pad(p, in, table, out);
}
MOTE_KERNEL void mirror_pad_s64(const MirrorPad& p, const int64_t* in, const int32_t* table, int64_t* out) {
  mirror_pad(p, in, table, out);
}
MOTE_KERNEL void mirror_pad_f32(const MirrorPad& p, const float* in, const int32_t* table, float* out) {
  mirror_pad(p, in, table, out);
}

}  // namespace nn
