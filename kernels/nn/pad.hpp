// SPDX-License-Identifier: Apache-2.0
// Padding with a constant.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// Four outer dimensions and a row, after merging neighbours: input extents, padding before, output extents.
template <class T>
struct PadOf {
  int32_t in_0, in_1, in_2, in_3, in_row;
  int32_t before_0, before_1, before_2, before_3, before_row;
  int32_t out_0, out_1, out_2, out_3, out_row;
  T value;

  template <class F>
  constexpr void fields(F&& f) const {
    f("in_0", in_0);
    f("in_1", in_1);
    f("in_2", in_2);
    f("in_3", in_3);
    f("in_row", in_row);
    f("before_0", before_0);
    f("before_1", before_1);
    f("before_2", before_2);
    f("before_3", before_3);
    f("before_row", before_row);
    f("out_0", out_0);
    f("out_1", out_1);
    f("out_2", out_2);
    f("out_3", out_3);
    f("out_row", out_row);
    f("value", value);
  }
};
using Pad = PadOf<int32_t>;
using PadWide = PadOf<int64_t>;
using PadFloat = PadOf<float>;

MOTE_KERNEL bool is_index(int32_t i, int32_t extent) {
  return static_cast<uint32_t>(i) < static_cast<uint32_t>(extent);
}

// Elements are written in order, each after the last read before it: the output may overlap the input's tail.
template <class T, class Value>
MOTE_KERNEL void pad(const PadOf<Value>& p, const T* in, T* out) {
  const auto value = static_cast<T>(p.value);
  for (int32_t i = -p.before_0; i < p.out_0 - p.before_0; ++i) {
    for (int32_t j = -p.before_1; j < p.out_1 - p.before_1; ++j) {
      for (int32_t k = -p.before_2; k < p.out_2 - p.before_2; ++k) {
        for (int32_t l = -p.before_3; l < p.out_3 - p.before_3; ++l) {
          const bool inside =
              is_index(i, p.in_0) && is_index(j, p.in_1) && is_index(k, p.in_2) && is_index(l, p.in_3);
          const int32_t before = inside ? p.before_row : p.out_row;
          const T* const row_end = out + p.out_row;
          for (const T* end = out + before; out != end;) *out++ = value;
          if (!inside) continue;
          for (const T* end = in + p.in_row; in != end;) *out++ = *in++;
          while (out != row_end) *out++ = value;
        }
      }
    }
  }
}

MOTE_KERNEL void pad_s8(const Pad& p, const int8_t* in, int8_t* out) { pad(p, in, out); }
MOTE_KERNEL void pad_s16(const Pad& p, const int16_t* in, int16_t* out) { pad(p, in, out); }
MOTE_KERNEL void pad_s32(const Pad& p, const int32_t* in, int32_t* out) { pad(p, in, out); }
MOTE_KERNEL void pad_s64(const PadWide& p, const int64_t* in, int64_t* out) { pad(p, in, out); }
MOTE_KERNEL void pad_f32(const PadFloat& p, const float* in, float* out) { pad(p, in, out); }

}  // namespace nn
