// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks of four pixels times two output channels, in products of bytes without signs.
#pragma once

#include <stdint.h>

#include "nn/conv2d_4x4.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_unsigned.hpp"

namespace nn {

// weights: as for conv2d_4x4_s8, 128 more, padded with zeros. scratch: a word a tap, taps rounded up to a multiple
// of 2.
MOTE_KERNEL void conv2d_unsigned_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                    int32_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  int8_t* const patch = reinterpret_cast<int8_t*>(scratch);
  conv2d_by_four(p, in, patch, [&](int32_t count) MOTE_INLINE {
    if (count == 4) {
      pixels_4x4_unsigned(p.outputs, reinterpret_cast<uint32_t*>(scratch), taps, constants, out);
      out += 4 * p.outputs.channels;
      return;
    }
    for (int32_t i = 0; i < count; ++i) {
      pixel_1x8_unsigned(p.outputs, patch + i, 4, taps, constants, out);
      out += p.outputs.channels;
    }
  });
}

}  // namespace nn
