// SPDX-License-Identifier: Apache-2.0
// Convolution of 16-bit activations in blocks of two pixels times four output channels, two taps in a word.
#pragma once

#include <stdint.h>

#include "nn/conv2d_blocks_s16.hpp"
#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_paired_s16.hpp"

namespace nn {

// The window of one of two pixels to [pairs of taps][pixel][2]; what lies outside the input is zero.
MOTE_KERNEL void conv2d_gather_paired_s16(const Conv2d& p, const int16_t* in, int32_t top, int32_t left,
                                          uint32_t* to) {
  if ((p.in_channels & 1) == 0) {
    conv2d_runs(
        p, in, top, left, to,
        [](const int16_t* from, int32_t count, uint32_t* place) MOTE_INLINE {
          for (const int16_t* const end = from + count; from != end; place += 2) {
            *place = load_word(from);
            from += 2;
          }
          return place;
        },
        [](int32_t count, uint32_t* place) MOTE_INLINE {
          for (uint32_t* const end = place + count; place != end; place += 2) *place = 0;
          return place;
        });
    return;
  }
  int16_t* const values = reinterpret_cast<int16_t*>(to);
  int32_t k = 0;
  const auto put = [&](int32_t value) MOTE_INLINE {
    values[2 * k - (k & 1)] = static_cast<int16_t>(value);
    ++k;
  };
  conv2d_runs(
      p, in, top, left, to,
      [&](const int16_t* from, int32_t count, uint32_t* place) MOTE_INLINE {
        for (const int16_t* const end = from + count; from != end;) put(*from++);
        return place;
      },
      [&](int32_t count, uint32_t* place) MOTE_INLINE {
        while (count-- > 0) put(0);
        return place;
      });
  if ((k & 1) != 0) put(0);
}

// weights and scales: see Paired16. scratch: two words a pair of taps.
MOTE_KERNEL void conv2d_paired_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                   const int32_t* scales, int16_t* out, uint32_t* scratch) {
  const int32_t pairs = (p.kernel_height * p.kernel_width * p.in_channels + 1) >> 1;
  const int16_t* const values = reinterpret_cast<const int16_t*>(scratch);
  conv2d_in_blocks<2>(
      p, in,
      [&](const int16_t* image, int32_t top, int32_t left, int32_t pixel)
          MOTE_INLINE { conv2d_gather_paired_s16(p, image, top, left, scratch + pixel); },
      [&](int32_t count) MOTE_INLINE {
        Paired16 block{scales,
                       paired_entry(pairs, 4, 60),
                       values,
                       values + 4 * pairs,
                       weights,
                       out,
                       count > 1 ? out + p.out_channels : out,
                       p.out_channels,
                       p.low,
                       p.high,
                       0};
        multiply_paired_2x4_s16(block);
        out += 2 * p.out_channels;
      });
}

// Few rows of a dense layer, in_width of them, read in place.
MOTE_KERNEL void fully_connected_paired_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                            const int32_t* scales, int16_t* out) {
  const int32_t pairs = p.in_channels >> 1;
  for (int32_t row = 0; row < p.out_width; ++row) {
    Paired16 block{
        scales, paired_entry(pairs, 4, 40), in, in + 2 * pairs, weights, out, out, p.out_channels, p.low,
        p.high, p.in_channels & 1};
    multiply_paired_1x4_s16(block);
    in += p.in_channels, out += p.out_channels;
  }
}

}  // namespace nn
