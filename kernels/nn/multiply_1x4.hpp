// SPDX-License-Identifier: Apache-2.0
// One pixel times all output channels, four at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"

namespace nn {

// sums[channel] = scales[2 * channel] + sum over k of values[step * k] * weights[4 * k + channel]. Returns the
// weights of the next four channels: they start after an even number of taps.
template <class T>
MOTE_KERNEL const int8_t* multiply_1x4(const T* values, int32_t step, int32_t taps, const int8_t* weights,
                                       const int32_t* scales, int32_t* sums) {
  int32_t sum0 = scales[0], sum1 = scales[2], sum2 = scales[4], sum3 = scales[6];
  for (int32_t pairs = taps >> 1; pairs != 0; --pairs) {
    const int32_t value0 = values[0], value1 = values[step];
    sum0 += value0 * weights[0] + value1 * weights[4];
    sum1 += value0 * weights[1] + value1 * weights[5];
    sum2 += value0 * weights[2] + value1 * weights[6];
    sum3 += value0 * weights[3] + value1 * weights[7];
    values += 2 * step;
    weights += 8;
  }
  if ((taps & 1) != 0) {
    const int32_t value = values[0];
    sum0 += value * weights[0], sum1 += value * weights[1];
    sum2 += value * weights[2], sum3 += value * weights[3];
    weights += 8;
  }
  sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
  return weights;
}

// All channels of one pixel, whose values lie `step` bytes apart. Called: layers share it in every mode, since its
// loops are long.
MOTE_SHARED void pixel_1x4(const Outputs& p, const int8_t* values, int32_t step, int32_t taps,
                           const int32_t* constants, int8_t* out) {
  MOTE_HAS_EFFECTS;
  PackedConstants packed(constants, p.channels);
  for (int32_t left = p.channels; left > 0; left -= 4) {
    int32_t sums[4];
    packed.weights = multiply_1x4(values, step, taps, packed.weights, packed.scales, sums);
    write_outputs(p, sums, 1, packed.scales, packed.shift, left, out);
    packed.scales += 8, packed.shift += 4, out += 4;
  }
}

}  // namespace nn
