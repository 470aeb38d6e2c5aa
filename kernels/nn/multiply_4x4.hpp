// SPDX-License-Identifier: Apache-2.0
// Four pixels with four channels, the innermost loops of the convolutions.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"

// sums[4 * channel + pixel] = scales[2 * channel] + sum over k of values[4 * k + pixel] * weights[4 * k +
// channel], for the k with values + 4 * k < end, rounded up to an even number of them, at least two. Values are
// int8_t or int16_t.
#if defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul) && !defined(__riscv_32e)
#include "rv32/multiply_4x4.hpp"
#else

namespace nn {

// Two by two at a time: that is what the registers of most cores hold.
template <class T>
MOTE_KERNEL void multiply_4x4(const T* values, const T* end, const int8_t* weights, const int32_t* scales,
                              int32_t* sums) {
  for (int32_t block = 0; block < 4; ++block) {
    const int32_t pixel = block & 2;
    const int32_t channel = (block & 1) * 2;
    int32_t sum00 = scales[2 * channel], sum01 = sum00;
    int32_t sum10 = scales[2 * channel + 2], sum11 = sum10;
    const T* value = values + pixel;
    const int8_t* weight = weights + channel;
    do {
      for (int32_t k = 0; k < 8; k += 4) {
        const int32_t value0 = value[k], value1 = value[k + 1], weight0 = weight[k], weight1 = weight[k + 1];
        sum00 += value0 * weight0, sum01 += value1 * weight0;
        sum10 += value0 * weight1, sum11 += value1 * weight1;
      }
      value += 8;
      weight += 8;
    } while (value < end);
    int32_t* const target = sums + 4 * channel + pixel;
    target[0] = sum00, target[1] = sum01;
    target[4] = sum10, target[5] = sum11;
  }
}

}  // namespace nn
#endif

namespace nn {

#ifndef MOTE_OUTPUTS_4X4
// The outputs of four pixels in `left` channels, four at most: `out` is the first pixel's.
MOTE_KERNEL void outputs_4x4(const Outputs& p, const int8_t* values, const int8_t* end,
                             const PackedConstants& packed, int32_t left, int8_t* out) {
  int32_t sums[16];
  multiply_4x4(values, end, packed.weights, packed.scales, sums);
  write_outputs(p, sums, 4, packed.scales, packed.shift, left, out);
}
#endif

// All channels of four pixels; values[4 * k + pixel]. Called: layers share it in every mode, since its loops are
// long.
MOTE_SHARED void pixels_4x4(const Outputs& p, const int8_t* values, int32_t taps, const int32_t* constants,
                            int8_t* out) {
  MOTE_HAS_EFFECTS;
  PackedConstants packed(constants, p.channels);
  for (int32_t left = p.channels; left > 0; left -= 4) {
    outputs_4x4(p, values, values + 4 * taps, packed, left, out);
    packed.weights += 4 * ((taps + 1) & ~1);
    packed.scales += 8, packed.shift += 4, out += 4;
  }
}

}  // namespace nn
