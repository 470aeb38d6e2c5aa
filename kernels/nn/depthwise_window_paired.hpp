// SPDX-License-Identifier: Apache-2.0
// One output pixel of a depthwise convolution in products of pairs of 16-bit numbers, four channels at a time.
#pragma once

#include <stdint.h>

#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_paired.hpp"

namespace nn {

// The work of one call: all channels of one pixel. The assembly knows the members' places.
struct PairedWindow {
  const int8_t* values;
  const int32_t *offsets, *end;  // of each tap from `values`, an even number of them
  const int16_t* weights;        // [channels / 4][pairs of taps][4][2]
  const int32_t* scales;  // four channels: their biases, {multiplier, offset} of each as for requantize_paired
  int8_t* out;
  int32_t channels;           // a multiple of four
  int32_t clamps, low, high;  // clamps: 0 when low and high are those of 8 bits
};

}  // namespace nn

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/depthwise_window_paired.hpp"
#else

namespace nn {

MOTE_KERNEL void depthwise_window_paired(PairedWindow& window, int32_t in_zero) {
  const auto taps = static_cast<int32_t>(window.end - window.offsets);
  for (int32_t c = 0; c < window.channels; ++c) {
    const int16_t* const weights = window.weights + (c >> 2) * taps * 4 + (c & 3) * 2;
    const int32_t* const scales = window.scales + (c >> 2) * 12;
    int32_t sum = scales[c & 3];
    for (int32_t k = 0; k < taps; ++k) {
      const int32_t value = window.offsets[k] == INT32_MIN ? in_zero : window.values[window.offsets[k] + c];
      sum += value * weights[(k >> 1) * 8 + (k & 1)];
    }
    const int32_t result = requantize_paired(sum, scales[4 + 2 * (c & 3)], scales[5 + 2 * (c & 3)]);
    window.out[c] = static_cast<int8_t>(clamp(result, window.low, window.high));
  }
}

}  // namespace nn
#endif
