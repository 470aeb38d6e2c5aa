// SPDX-License-Identifier: Apache-2.0
// Maximum and minimum over any set of axes; input and output share scale and zero point.
#pragma once

#include "nn/reduce.hpp"

namespace nn {

template <class T>
MOTE_KERNEL void reduce_max(const Reduce& p, const T* in, T* out, T lowest) {
  reduce(
      p, in, lowest, [](T so_far, T next) { return next > so_far ? next : so_far; },
      [&](T value) MOTE_INLINE { *out++ = value; });
}

template <class T>
MOTE_KERNEL void reduce_min(const Reduce& p, const T* in, T* out, T highest) {
  reduce(
      p, in, highest, [](T so_far, T next) { return next < so_far ? next : so_far; },
      [&](T value) MOTE_INLINE { *out++ = value; });
}

MOTE_KERNEL void reduce_max_s8(const Reduce& p, const int8_t* in, int8_t* out) {
  reduce_max(p, in, out, static_cast<int8_t>(-128));
}
MOTE_KERNEL void reduce_min_s8(const Reduce& p, const int8_t* in, int8_t* out) {
  reduce_min(p, in, out, static_cast<int8_t>(127));
}
MOTE_KERNEL void reduce_max_f32(const Reduce& p, const float* in, float* out) {
  reduce_max(p, in, out, -__builtin_inff());
}
MOTE_KERNEL void reduce_min_f32(const Reduce& p, const float* in, float* out) {
  reduce_min(p, in, out, __builtin_inff());
}

}  // namespace nn
