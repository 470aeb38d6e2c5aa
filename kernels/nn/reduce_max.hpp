// SPDX-License-Identifier: Apache-2.0
// Maximum, minimum, any and all over any set of axes; input and output share scale and zero point.
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
MOTE_KERNEL void reduce_max_u8(const Reduce& p, const uint8_t* in, uint8_t* out) {
  reduce_max(p, in, out, static_cast<uint8_t>(0));
}
MOTE_KERNEL void reduce_min_u8(const Reduce& p, const uint8_t* in, uint8_t* out) {
  reduce_min(p, in, out, static_cast<uint8_t>(255));
}
MOTE_KERNEL void reduce_max_s16(const Reduce& p, const int16_t* in, int16_t* out) {
  reduce_max(p, in, out, static_cast<int16_t>(-32768));
}
MOTE_KERNEL void reduce_min_s16(const Reduce& p, const int16_t* in, int16_t* out) {
  reduce_min(p, in, out, static_cast<int16_t>(32767));
}
MOTE_KERNEL void reduce_max_s32(const Reduce& p, const int32_t* in, int32_t* out) {
  reduce_max(p, in, out, int32_t{INT32_MIN});
}
MOTE_KERNEL void reduce_min_s32(const Reduce& p, const int32_t* in, int32_t* out) {
  reduce_min(p, in, out, int32_t{INT32_MAX});
}
MOTE_KERNEL void reduce_max_s64(const Reduce& p, const int64_t* in, int64_t* out) {
  reduce_max(p, in, out, int64_t{INT64_MIN});
}
MOTE_KERNEL void reduce_min_s64(const Reduce& p, const int64_t* in, int64_t* out) {
  reduce_min(p, in, out, int64_t{INT64_MAX});
}
MOTE_KERNEL void reduce_max_f32(const Reduce& p, const float* in, float* out) {
  reduce_max(p, in, out, -__builtin_inff());
}
MOTE_KERNEL void reduce_min_f32(const Reduce& p, const float* in, float* out) {
  reduce_min(p, in, out, __builtin_inff());
}

// Booleans: the largest of 0 and 1 is "any", the least is "all". What is not 0 counts as true.
MOTE_KERNEL void reduce_any(const Reduce& p, const uint8_t* in, uint8_t* out) {
  reduce(
      p, in, false, [](bool so_far, uint8_t next) { return so_far || next != 0; },
      [&](bool value) MOTE_INLINE { *out++ = value ? 1 : 0; });
}
MOTE_KERNEL void reduce_all(const Reduce& p, const uint8_t* in, uint8_t* out) {
  reduce(
      p, in, true, [](bool so_far, uint8_t next) { return so_far && next != 0; },
      [&](bool value) MOTE_INLINE { *out++ = value ? 1 : 0; });
}

}  // namespace nn
