// SPDX-License-Identifier: Apache-2.0
// Average pooling of NHWC images; padding does not count.
#pragma once

#include "nn/pool.hpp"

namespace nn {

// The mean of the window; input and output share scale and zero point.
template <class T>
MOTE_KERNEL void avg_pool(const Pool& p, const T* in, T* out) {
  for_each_window(p, in, [&](const T* first, int32_t height, int32_t width) MOTE_INLINE {
    const int32_t sum =
        fold_window(p, first, height, width, int32_t{0}, [](int32_t so_far, T next) { return so_far + next; });
    *out++ = static_cast<T>(clamp(rounded_mean(sum, height * width), p.low, p.high));
  });
}

MOTE_KERNEL void avg_pool_s8(const Pool& p, const int8_t* in, int8_t* out) { avg_pool(p, in, out); }
MOTE_KERNEL void avg_pool_s16(const Pool& p, const int16_t* in, int16_t* out) { avg_pool(p, in, out); }

MOTE_KERNEL void avg_pool_f32(const PoolFloat& p, const float* in, float* out) {
  for_each_window(p, in, [&](const float* first, int32_t height, int32_t width) MOTE_INLINE {
    const float sum =
        fold_window(p, first, height, width, 0.0f, [](float so_far, float next) { return so_far + next; });
    *out++ = clamp_f32(sum / static_cast<float>(height * width), p.low, p.high);
  });
}

}  // namespace nn
