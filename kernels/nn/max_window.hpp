// SPDX-License-Identifier: Apache-2.0
// The largest element of one pooling window for each channel.
#pragma once

#include <stdint.h>

#include "nn/pool.hpp"

namespace nn {

MOTE_KERNEL void max_channel_s8(const Pool& p, const int8_t* first, int32_t height, int32_t width, int8_t* out) {
  const int32_t largest = fold_window(p, first, height, width, p.low,
                                      [](int32_t so_far, int8_t next) { return next > so_far ? next : so_far; });
  *out = static_cast<int8_t>(largest > p.high ? p.high : largest);
}

}  // namespace nn

// Channel 0 of the window begins at `first`.
#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/max_window.hpp"
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/max_window.hpp"
#else

namespace nn {

MOTE_KERNEL void max_window_s8(const Pool& p, const int8_t* first, int32_t height, int32_t width, int8_t* out) {
  for (int32_t c = 0; c < p.channels; ++c) max_channel_s8(p, first + c, height, width, out + c);
}

}  // namespace nn
#endif
