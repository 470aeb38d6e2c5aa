// SPDX-License-Identifier: Apache-2.0
// Root mean square pooling of NHWC images; padding does not count.
#pragma once

#include <math.h>

#include "nn/pool.hpp"

namespace nn {

MOTE_KERNEL void l2_pool_f32(const PoolFloat& p, const float* in, float* out) {
  for_each_window(p, in, [&](const float* first, int32_t height, int32_t width) MOTE_INLINE {
    const float sum =
        fold_window(p, first, height, width, 0.0f, [](float so_far, float next) { return so_far + next * next; });
    *out++ = clamp_f32(sqrtf(sum / static_cast<float>(height * width)), p.low, p.high);
  });
}

}  // namespace nn
