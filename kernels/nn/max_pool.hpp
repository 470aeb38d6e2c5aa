// SPDX-License-Identifier: Apache-2.0
// Maximum pooling of NHWC images; padding does not count.
#pragma once

#include "nn/pool.hpp"

namespace nn {

// Input and output share scale and zero point.
MOTE_KERNEL void max_pool_s8(const Pool& p, const int8_t* in, int8_t* out) {
  for_each_window(p, in, [&](const int8_t* first, int32_t height, int32_t width) MOTE_INLINE {
    const int32_t largest = fold_window(p, first, height, width, p.low,
                                        [](int32_t so_far, int8_t next) { return next > so_far ? next : so_far; });
    *out++ = static_cast<int8_t>(largest > p.high ? p.high : largest);
  });
}

MOTE_KERNEL void max_pool_f32(const PoolFloat& p, const float* in, float* out) {
  for_each_window(p, in, [&](const float* first, int32_t height, int32_t width) MOTE_INLINE {
    const float largest = fold_window(p, first, height, width, p.low,
                                      [](float so_far, float next) { return next > so_far ? next : so_far; });
    *out++ = largest > p.high ? p.high : largest;
  });
}

}  // namespace nn
