// SPDX-License-Identifier: Apache-2.0
// One output pixel of a depthwise convolution, sixteen channels at a time, requantised and stored.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

// The work of one call: all channels of one pixel. The assembly knows the members' places.
struct VectorWindow {
  const int8_t* values;
  const int32_t* offsets;  // of each tap from `values`, an even number of them
  int32_t pairs;           // of taps
  const int8_t* weights;   // [channels / 16][2 * pairs][16], none of them -128
  const int32_t* scales;   // sixteen channels: biases, multipliers, bytes of shift (-21 to -1), see vector_lane
  int8_t* out;
  int32_t channels, out_zero, low, high;
};

}  // namespace nn

#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/depthwise_window_vector.hpp"
#else

namespace nn {

// Which of its sixteen places a channel has in scales: products of bytes widen to 16 bits and then to 32, each
// time to the even and the odd ones.
MOTE_KERNEL int32_t vector_lane(int32_t channel) {
  return ((channel & 1) << 3) | ((channel & 2) << 1) | (channel >> 2);
}

MOTE_KERNEL void depthwise_window_vector(const VectorWindow& window, int32_t in_zero) {
  const int32_t taps = 2 * window.pairs;
  for (int32_t c = 0; c < window.channels; ++c) {
    const int32_t* const scales = window.scales + 36 * (c >> 4);
    const int32_t lane = vector_lane(c & 15);
    int32_t sum = scales[lane];
    for (int32_t k = 0; k < taps; ++k) {
      const int32_t value = window.offsets[k] == INT32_MIN ? in_zero : window.values[window.offsets[k] + c];
      sum += value * window.weights[((c >> 4) * taps + k) * 16 + (c & 15)];
    }
    const auto* const shifts = reinterpret_cast<const int8_t*>(scales + 32);
    const int32_t scaled = multiply_by_quantized_multiplier(sum, scales[16 + lane], shifts[lane]);
    window.out[c] = static_cast<int8_t>(clamp(scaled + window.out_zero, window.low, window.high));
  }
}

}  // namespace nn
#endif
