// SPDX-License-Identifier: Apache-2.0
// Maximum pooling of NHWC images; padding does not count.
#pragma once

#include "nn/max_window.hpp"
#include "nn/pool.hpp"

namespace nn {

// Input and output share scale and zero point.
template <class T>
MOTE_KERNEL void max_pool(const Pool& p, const T* in, T* out) {
  for_each_window(p, in, [&](const T* first, int32_t height, int32_t width) MOTE_INLINE {
    const int32_t largest = fold_window(p, first, height, width, p.low,
                                        [](int32_t so_far, T next) { return next > so_far ? next : so_far; });
    *out++ = static_cast<T>(largest > p.high ? p.high : largest);
  });
}

MOTE_KERNEL void max_pool_s8(const Pool& p, const int8_t* in, int8_t* out) {
  for_each_pixel_window(p, in, [&](const int8_t* first, int32_t height, int32_t width) MOTE_INLINE {
    max_window_s8(p, first, height, width, out);
    out += p.channels;
  });
}
MOTE_KERNEL void max_pool_s16(const Pool& p, const int16_t* in, int16_t* out) { max_pool(p, in, out); }

MOTE_KERNEL void max_pool_f32(const PoolFloat& p, const float* in, float* out) {
  for_each_window(p, in, [&](const float* first, int32_t height, int32_t width) MOTE_INLINE {
    const float largest = fold_window(p, first, height, width, p.low,
                                      [](float so_far, float next) { return next > so_far ? next : so_far; });
    *out++ = largest > p.high ? p.high : largest;
  });
}

}  // namespace nn
