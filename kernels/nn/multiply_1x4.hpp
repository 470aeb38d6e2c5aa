// SPDX-License-Identifier: Apache-2.0
// One pixel times all output channels, four at a time.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/requantize.hpp"

namespace nn {

// sums[channel] = scales[2 * channel] + sum over k of values[step * k] * weights[4 * k + channel]. Returns the
// weights of the next four channels: they start after an even number of taps.
MOTE_KERNEL const int8_t* multiply_1x4(const int8_t* values, int32_t step, int32_t taps, const int8_t* weights,
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

// All channels of one pixel, whose values lie `step` bytes apart.
template <class Params>
MOTE_KERNEL void pixel_1x4(const Params& p, const int8_t* values, int32_t step, int32_t taps,
                           const int8_t* weights, const int32_t* scales, const uint8_t* shift, int8_t* out) {
  for (int32_t c = 0; c < p.out_channels;) {
    int32_t sums[4];
    weights = multiply_1x4(values, step, taps, weights, scales + 2 * c, sums);
    const int32_t* sum = sums;
    do {
      const Requantize requantize(scales[2 * c + 1], shift[c], p.out_zero);
      out[c] = requantize(*sum++, p.out_zero, p.low, p.high);
      ++c;
    } while ((c & 3) != 0 && c < p.out_channels);
  }
}

}  // namespace nn
