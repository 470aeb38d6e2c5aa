// SPDX-License-Identifier: Apache-2.0
// Grouped convolution in blocks of four pixels times two output channels of a group, in products of bytes without
// signs.
#pragma once

#include <stdint.h>

#include "nn/conv2d_grouped_4x4.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_unsigned.hpp"

namespace nn {

// constants: those of conv2d_unsigned_s8 for each group. scratch: as for conv2d_grouped_4x4_s8.
MOTE_KERNEL void conv2d_grouped_unsigned_s8(const Conv2d& p, const int8_t* in, const int32_t* constants,
                                            int8_t* out, int32_t* scratch) {
  const Outputs o = group_outputs(p);
  conv2d_groups_by_four(
      p, in, constants, out, reinterpret_cast<int8_t*>(scratch),
      [&](const int8_t*, int32_t taps, const int32_t* own, int8_t* to)
          MOTE_INLINE { pixels_4x4_unsigned(o, reinterpret_cast<uint32_t*>(scratch), taps, own, to); },
      [&](const int8_t* patch, int32_t taps, const int32_t* own, int8_t* to)
          MOTE_INLINE { pixel_1x8_unsigned(o, patch, 4, taps, own, to); });
}

}  // namespace nn
