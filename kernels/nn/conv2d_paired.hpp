// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks of two pixels times four output channels, two channels' weights in one 16-bit number.
#pragma once

#include <stdint.h>

#include "nn/conv2d.hpp"
#include "nn/conv2d_runs.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_paired.hpp"

namespace nn {

#if MOTE_OPTIMIZE > 0
#define MOTE_WIDEN MOTE_KERNEL
#else
#define MOTE_WIDEN MOTE_SHARED
#endif
// Where one pixel's taps go: pairs of 16 bits in every second word. Of four taps the first pair holds 0 and 2, the
// second 1 and 3; a last single pair holds its one or two in order.
MOTE_WIDEN uint32_t* widen(const int8_t* from, int32_t count, uint32_t* to) {
  for (; count >= 8; count -= 8) {
    const uint32_t first = load_word(from), second = load_word(from + 4);
    to[0] = even_bytes(first), to[2] = odd_bytes(first);
    to[4] = even_bytes(second), to[6] = odd_bytes(second);
    from += 8, to += 8;
  }
  if (count >= 4) {
    const uint32_t word = load_word(from);
    to[0] = even_bytes(word), to[2] = odd_bytes(word);
    from += 4, to += 4, count -= 4;
  }
  if (count != 0) {
    const uint32_t second = count == 2 ? 1 : 2;
    uint32_t word = static_cast<uint8_t>(from[0]);
    if (count > 1) word |= static_cast<uint32_t>(static_cast<uint8_t>(from[second])) << 16;
    to[0] = even_bytes(word);
    if (count == 3) to[2] = even_bytes(static_cast<uint8_t>(from[1]));
  }
  return to;
}

// `count` taps, a multiple of four, outside the input.
MOTE_WIDEN uint32_t* fill_wide(int32_t value, int32_t count, uint32_t* to) {
  const uint32_t pair = (static_cast<uint32_t>(value) & 0xFFFF) | static_cast<uint32_t>(value) << 16;
  for (; count > 0; count -= 4) {
    to[0] = pair, to[2] = pair;
    to += 4;
  }
  return to;
}

// The window of one pixel, widened. What lies in whole words is widened where it lies, and so are single pixels;
// other windows first become one row of bytes, in `row`.
template <bool grouped = false>
MOTE_KERNEL void conv2d_gather_wide(const Conv2d& p, const int8_t* in, int32_t top, int32_t left, uint32_t* to,
                                    int8_t* row) {
  const int32_t window = p.kernel_height * p.kernel_width;
  const int32_t& channels = grouped ? p.group_channels : p.in_channels;
  const bool words = (channels & 3) == 0;
  const int8_t* from = row;
  if (window == 1 && p.pad_top == 0 && p.pad_left == 0) {
    from = in + (top * p.in_width + left) * p.in_channels;
  } else {
    conv2d_runs<grouped>(
        p, in, top, left, words ? reinterpret_cast<int8_t*>(to) : row,
        [&](const int8_t* run, int32_t count, int8_t* place) MOTE_INLINE {
          if (!words) return copy_bytes(run, count, place);
          return reinterpret_cast<int8_t*>(widen(run, count, reinterpret_cast<uint32_t*>(place)));
        },
        [&](int32_t count, int8_t* place) MOTE_INLINE {
          if (!words) return fill_bytes(p.in_zero, count, place);
          return reinterpret_cast<int8_t*>(fill_wide(p.in_zero, count, reinterpret_cast<uint32_t*>(place)));
        });
    if (words) return;
  }
  widen(from, window * channels, to);
}

// `channels` outputs of one or two pixels whose pairs of taps are gathered in `values`; `second` is `out` for one.
MOTE_KERNEL void paired_pixels(const Conv2d& p, int32_t channels, const int8_t* values, int32_t pairs,
                               const int16_t* weights, const int32_t* scales, int8_t* out, int8_t* second) {
  Paired block{scales,
               paired_entry(pairs, unrolled_2x4, 48),
               values,
               values + 8 * pairs,
               weights,
               out,
               second,
               channels,
               p.low > -128 || p.high < 127 ? 1 : 0,
               p.low,
               p.high,
               0,
               0};
  multiply_paired_2x4(block);
}

// weights: [out_channels / 4][pairs][4], as multiply_paired_2x4 reads them, taps paired as widen() does. scales:
// see Paired; the input's zero point is folded into the biases. scratch: 8 bytes a pair and, unless the input's
// channels are a multiple of four, one byte a tap.
MOTE_KERNEL void conv2d_paired_s8(const Conv2d& p, const int8_t* in, const int16_t* weights, const int32_t* scales,
                                  int8_t* out, uint32_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  const int32_t pairs = (taps + 1) >> 1;
  const int32_t pixels = p.batches * p.out_height * p.out_width;
  int8_t* const bytes = reinterpret_cast<int8_t*>(scratch);
  int32_t x = 0, y = 0;
  for (int32_t left = pixels; left > 0; left -= 2) {
    const int32_t count = left > 1 ? 2 : 1;
    for (int32_t i = 0; i < count; ++i) {
      conv2d_gather_wide(p, in, y * p.stride_height - p.pad_top, x * p.stride_width - p.pad_left, scratch + i,
                         bytes + 8 * pairs);
      if (++x == p.out_width) {
        x = 0;
        if (++y == p.out_height) {
          y = 0;
          in += p.in_height * p.in_width * p.in_channels;
        }
      }
    }
    paired_pixels(p, p.out_channels, bytes, pairs, weights, scales, out, count > 1 ? out + p.out_channels : out);
    out += 2 * p.out_channels;
  }
}

}  // namespace nn
