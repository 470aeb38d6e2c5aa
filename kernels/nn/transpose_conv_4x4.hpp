// SPDX-License-Identifier: Apache-2.0
// Transposed convolution in blocks of four pixels times four output channels.
#pragma once

#include <stdint.h>

#include "nn/conv2d_4x4.hpp"
#include "nn/conv2d_4x4_s16.hpp"
#include "nn/fixed.hpp"
#include "nn/transpose_conv_phases.hpp"

namespace nn {

// The outputs of up to four pixels from where they lie together to where they lie `step` apart.
template <class T>
MOTE_KERNEL void spread_pixels(const T* from, int32_t pixels, int32_t channels, int32_t step, T* to) {
  for (; pixels > 0; --pixels, to += step - channels) {
    for (T* const end = to + channels; to != end;) *to++ = *from++;
  }
}

// constants: for each phase, from the word on that `phases` says, as for conv2d_4x4_s8. scratch: for the largest
// phase 4 * taps bytes, taps rounded up to an even number, then 4 * out_channels.
MOTE_KERNEL void transpose_conv_4x4_s8(const Conv2d& p, const int8_t* in, const int32_t* constants,
                                       const int32_t* phases, int8_t* out, int8_t* scratch) {
  const Outputs outputs{static_cast<uint16_t>(p.out_channels), static_cast<int8_t>(p.out_zero),
                        static_cast<int8_t>(p.low), static_cast<int8_t>(p.high)};
  transpose_conv_phases<4>(
      p, in, out,
      [&](const Conv2d& window, const int8_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_apart<4>(window, image, top, left, scratch + pixel); },
      [&](const Conv2d& window, int32_t phase, int32_t count, int8_t* target) MOTE_INLINE {
        const int32_t taps = window.kernel_height * window.kernel_width * p.in_channels;
        int8_t* const results = scratch + 4 * ((taps + 1) & ~1);
        pixels_4x4(outputs, scratch, taps, constants + phases[phase], results);
        spread_pixels(results, count, p.out_channels, p.stride_width * p.out_channels, target);
      });
}

// weights: for each phase, from where `phases` says, as for conv2d_4x4_s16; scales and scratch likewise.
MOTE_KERNEL void transpose_conv_4x4_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                        const int32_t* scales, const int32_t* phases, int16_t* out,
                                        int16_t* scratch) {
  transpose_conv_phases<4>(
      p, in, out,
      [&](const Conv2d& window, const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_apart<4>(window, image, top, left, scratch + pixel); },
      [&](const Conv2d& window, int32_t phase, int32_t count, int16_t* target) MOTE_INLINE {
        const int32_t taps = window.kernel_height * window.kernel_width * p.in_channels;
        int16_t* const results = scratch + 4 * ((taps + 1) & ~1);
        pixels_4x4_s16(p, scratch, taps, weights + phases[phase], scales, results);
        spread_pixels(results, count, p.out_channels, p.stride_width * p.out_channels, target);
      });
}

}  // namespace nn
