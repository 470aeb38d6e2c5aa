// SPDX-License-Identifier: Apache-2.0
// Transposed convolution in blocks of two pixels times four output channels, in vectors of taps.
#pragma once

#include <stdint.h>

#include "nn/conv2d_vector.hpp"
#include "nn/conv2d_vector_s16.hpp"
#include "nn/fixed.hpp"
#include "nn/transpose_conv_phases.hpp"

namespace nn {

// weights: for each phase, from where `phases` says, as for conv2d_vector_s8; scales: the same, `scales_of_phase`
// words a phase. scratch: as there, for the largest phase.
MOTE_KERNEL void transpose_conv_vector_s8(const Conv2d& p, const int8_t* in, const int8_t* weights,
                                          const int32_t* scales, const int32_t* phases, int8_t* out,
                                          int8_t* scratch) {
  const int32_t scales_of_phase = ((p.out_channels + 3) >> 2) * 9;
  const auto taps_of = [&](const Conv2d& window)
                           MOTE_INLINE { return window.kernel_height * window.kernel_width * p.in_channels; };
  transpose_conv_phases<2>(
      p, in, out,
      [&](const Conv2d& window, const int8_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_bytes(window, image, top, left, scratch + pixel * taps_of(window)); },
      [&](const Conv2d& window, int32_t phase, int32_t count, int8_t* target) MOTE_INLINE {
        const int32_t taps = taps_of(window), second = count > 1 ? 1 : 0;
        VectorBlock block{scratch,
                          scratch + second * taps,
                          taps >> 4,
                          taps & 15,
                          ((taps & 15) + 3) & ~3,
                          weights + phases[phase],
                          scales + phase * scales_of_phase,
                          target,
                          target + second * p.stride_width * p.out_channels,
                          p.out_channels,
                          p.out_zero,
                          p.low,
                          p.high};
        multiply_vector_2x4(block);
      });
}

// weights: for each phase, from where `phases` says, as for conv2d_vector_s16; scales and scratch likewise.
MOTE_KERNEL void transpose_conv_vector_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                           const int32_t* scales, const int32_t* phases, int16_t* out,
                                           int16_t* scratch) {
  const auto taps_of = [&](const Conv2d& window)
                           MOTE_INLINE { return window.kernel_height * window.kernel_width * p.in_channels; };
  transpose_conv_phases<2>(
      p, in, out,
      [&](const Conv2d& window, const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_halves(window, image, top, left, scratch + pixel * taps_of(window)); },
      [&](const Conv2d& window, int32_t phase, int32_t count, int16_t* target) MOTE_INLINE {
        const int32_t taps = taps_of(window), second = count > 1 ? 1 : 0;
        VectorBlock16 block{scratch,
                            scratch + second * taps,
                            taps >> 3,
                            taps & 7,
                            weights + phases[phase],
                            scales,
                            target,
                            target + second * p.stride_width * p.out_channels,
                            p.out_channels,
                            p.low,
                            p.high};
        multiply_vector_2x4_s16(block);
      });
}

}  // namespace nn
