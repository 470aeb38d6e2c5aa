// SPDX-License-Identifier: Apache-2.0
// Transposed convolution in blocks of two pixels times four output channels, in products of pairs.
#pragma once

#include <stdint.h>

#include "nn/conv2d_paired.hpp"
#include "nn/conv2d_paired_s16.hpp"
#include "nn/fixed.hpp"
#include "nn/transpose_conv_phases.hpp"

namespace nn {

// weights: for each phase, from where `phases` says, as for conv2d_paired_s8; scales: the same, `scales_of_phase`
// words a phase. scratch: as there, for the largest phase.
MOTE_KERNEL void transpose_conv_paired_s8(const Conv2d& p, const int8_t* in, const int16_t* weights,
                                          const int32_t* scales, const int32_t* phases, int8_t* out,
                                          uint32_t* scratch) {
  int8_t* const bytes = reinterpret_cast<int8_t*>(scratch);
  const int32_t scales_of_phase = ((p.out_channels + 3) >> 2) * 12;
  const auto pairs_of = [&](const Conv2d& window) MOTE_INLINE {
    return (window.kernel_height * window.kernel_width * p.in_channels + 1) >> 1;
  };
  transpose_conv_phases<2>(
      p, in, out,
      [&](const Conv2d& window, const int8_t* image, int32_t top, int32_t left, int32_t pixel) MOTE_INLINE {
        conv2d_gather_wide(window, image, top, left, scratch + pixel, bytes + 8 * pairs_of(window));
      },
      [&](const Conv2d& window, int32_t phase, int32_t count, int8_t* target) MOTE_INLINE {
        const int32_t pairs = pairs_of(window);
        paired_pixels(p, p.out_channels, bytes, pairs, weights + phases[phase], scales + phase * scales_of_phase,
                      target, count > 1 ? target + p.stride_width * p.out_channels : target);
      });
}

// weights: for each phase, from where `phases` says, as for conv2d_paired_s16; scales and scratch likewise.
MOTE_KERNEL void transpose_conv_paired_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                           const int32_t* scales, const int32_t* phases, int16_t* out,
                                           uint32_t* scratch) {
  const int16_t* const values = reinterpret_cast<const int16_t*>(scratch);
  transpose_conv_phases<2>(
      p, in, out,
      [&](const Conv2d& window, const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_paired_s16(window, image, top, left, scratch + pixel); },
      [&](const Conv2d& window, int32_t phase, int32_t count, int16_t* target) MOTE_INLINE {
        const int32_t pairs = (window.kernel_height * window.kernel_width * p.in_channels + 1) >> 1;
        Paired16 block{scales,
                       paired_entry(pairs, 4, 60),
                       values,
                       values + 4 * pairs,
                       weights + phases[phase],
                       target,
                       count > 1 ? target + p.stride_width * p.out_channels : target,
                       p.out_channels,
                       p.low,
                       p.high,
                       0};
        multiply_paired_2x4_s16(block);
      });
}

}  // namespace nn
