// SPDX-License-Identifier: Apache-2.0
// Convolution with weights of 4 or 2 bits, in blocks of four pixels times four output channels.
#pragma once

#include <stdint.h>

#include "nn/conv2d_4x4.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_narrow.hpp"

namespace nn {

// weights: the size of a chunk, then [out_channels / 4][taps / (8 / bits)] words of NarrowWeights, padded with
// zeros. scratch: 4 * taps bytes, taps rounded up to whole words.
template <int32_t bits>
MOTE_KERNEL void conv2d_narrow(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                               int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  const int32_t words = (taps + NarrowWeights<bits>::taps - 1) / NarrowWeights<bits>::taps;
  conv2d_by_four(p, in, scratch, [&](int32_t pixels) MOTE_INLINE {
    narrow_pixels_4x4<bits>(p.outputs, scratch, words, constants, pixels, out);
    out += pixels * p.outputs.channels;
  });
}

MOTE_KERNEL void conv2d_4bit_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                int8_t* scratch) {
  conv2d_narrow<4>(p, in, constants, out, scratch);
}

MOTE_KERNEL void conv2d_2bit_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                                int8_t* scratch) {
  conv2d_narrow<2>(p, in, constants, out, scratch);
}

}  // namespace nn
