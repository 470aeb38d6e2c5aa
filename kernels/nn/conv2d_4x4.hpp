// SPDX-License-Identifier: Apache-2.0
// Convolution in blocks of four pixels times four output channels.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"
#include "nn/multiply_4x4.hpp"
#include "nn/packed.hpp"

namespace nn {

// Copies `count` values, at least one, to every fourth byte: number `from` of those at `row` and what follows it.
// in_zero stands for what lies outside [0, extent). Returns the end.
MOTE_KERNEL int8_t* spread(const int8_t* row, int32_t from, int32_t count, int32_t extent, int32_t in_zero,
                           int8_t* to) {
  int8_t* const end = to + 4 * count;
#if MOTE_OPTIMIZE > 0
  if (from >= 0 && from + count <= extent) {
    const int8_t* value = row + from;
    for (; end - to >= 16; to += 16, from += 4, value += 4) {
      const int8_t value0 = value[0], value1 = value[1], value2 = value[2], value3 = value[3];
      to[0] = value0, to[4] = value1, to[8] = value2, to[12] = value3;
    }
#if MOTE_OPTIMIZE == 2
    for (; to != end; to += 4) *to = *value++;
#endif
    if (to == end) return to;
  }
#endif
  do {
    int8_t value = static_cast<int8_t>(in_zero);
    if (static_cast<uint32_t>(from) < static_cast<uint32_t>(extent)) value = row[from];
    *to = value;
    ++from, to += 4;
  } while (to != end);
  return to;
}

// Copies the window of one pixel into every fourth byte of `patch`; what lies outside the input becomes in_zero.
MOTE_KERNEL void conv2d_gather_inlined(const PackedConv2d& p, const int8_t* in, int32_t top, int32_t left,
                                       int8_t* patch) {
  // Taps of a row are neighbours in memory unless it is dilated.
  const int32_t together = p.dilation_width == 1 ? p.kernel_width : 1;
  const int32_t width = p.in_width * p.in_channels;
  in += top * width;
  int32_t rows = p.kernel_height;
  do {
    const int32_t extent = static_cast<uint32_t>(top) < p.in_height ? width : 0;
    int32_t x = left, taps = p.kernel_width;
    do {
      patch = spread(in, x * p.in_channels, together * p.in_channels, extent, p.in_zero, patch);
      x += p.dilation_width;
      taps -= together;
    } while (taps != 0);
    top += p.dilation_height;
    in += p.dilation_height * width;
  } while (--rows != 0);
}

MOTE_RARE MOTE_SHARED void conv2d_gather_called(const PackedConv2d& p, const int8_t* in, int32_t top, int32_t left,
                                                int8_t* patch) {
  MOTE_HAS_EFFECTS;
  conv2d_gather_inlined(p, in, top, left, patch);
}

MOTE_KERNEL void conv2d_gather(const PackedConv2d& p, const int8_t* in, int32_t top, int32_t left, int8_t* patch) {
  const bool in_four = p.kernel_height == 1 && p.kernel_width == 1;  // mostly
  if (MOTE_OPTIMIZE == 2 && MOTE_IS_OWN(p) && !in_four) {
    conv2d_gather_inlined(p, in, top, left, patch);
  } else {
    conv2d_gather_called(p, in, top, left, patch);
  }
}

#if MOTE_OPTIMIZE > 0
// The same for four neighbours whose windows lie inside the input: `in` is where the first one's begins.
MOTE_KERNEL void conv2d_gather_four(const PackedConv2d& p, const int8_t* in, int8_t* patch) {
  const int32_t step = p.stride_width * p.in_channels;
  // Taps of a row are neighbours in memory unless it is dilated.
  const int32_t runs = p.dilation_width == 1 ? 1 : p.kernel_width;
  const int32_t run = (p.dilation_width == 1 ? p.kernel_width : 1) * p.in_channels;
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    const int8_t* tap = in;
    for (int32_t i = 0; i < runs; ++i) {
      const int8_t* from = tap;
      const int8_t* const end = from + run;
      do {
        const int8_t value0 = from[0], value1 = from[step], value2 = from[2 * step], value3 = from[3 * step];
        patch[0] = value0, patch[1] = value1, patch[2] = value2, patch[3] = value3;
        patch += 4;
      } while (++from != end);
      tap += p.dilation_width * p.in_channels;
    }
    in += p.dilation_height * p.in_width * p.in_channels;
  }
}
#endif

// Pixels of the output in their order.
struct OutputPixel {
  int32_t x, y;

  // True when the next image begins.
  MOTE_KERNEL bool advance(const PackedConv2d& p, int32_t pixels) {
    x += pixels;
    if (x < p.out_width) return false;
    x = 0;
    if (++y < p.out_height) return false;
    y = 0;
    return true;
  }
};

#if MOTE_OPTIMIZE > 0
// Four neighbours of a row whose windows lie inside the input.
MOTE_KERNEL bool four_inside(const PackedConv2d& p, const OutputPixel& at) {
  const int32_t top = at.y * p.stride_height - p.pad_top, left = at.x * p.stride_width - p.pad_left;
  const int32_t reach = (p.kernel_width - 1) * p.dilation_width + 3 * p.stride_width;
  return at.x + 4 <= p.out_width && left >= 0 && left + reach < p.in_width && top >= 0 &&
         top + (p.kernel_height - 1) * p.dilation_height < p.in_height;
}
#endif

// Gathers the window at `at`, or `four` at once where they lie inside; says how many.
MOTE_KERNEL int32_t conv2d_gather_some(const PackedConv2d& p, const int8_t* in, const OutputPixel& at, bool four,
                                       int8_t* patch) {
  const int32_t top = at.y * p.stride_height - p.pad_top, left = at.x * p.stride_width - p.pad_left;
#if MOTE_OPTIMIZE > 0
  if (four && four_inside(p, at)) {
    conv2d_gather_four(p, in + (top * p.in_width + left) * p.in_channels, patch);
    return 4;
  }
#else
  (void)four;
#endif
  conv2d_gather(p, in, top, left, patch);
  return 1;
}

// Gathers the windows of four pixels after four, each value at four times its number plus the pixel's, and calls
// `block` with how many there are: the last may be fewer.
template <class Block>
MOTE_KERNEL void conv2d_by_four(const PackedConv2d& p, const int8_t* in, int8_t* scratch, Block block) {
  OutputPixel at{0, 0};
  for (int32_t pixels = p.batches * p.out_height * p.out_width; pixels > 0; pixels -= 4) {
    const int32_t count = pixels < 4 ? pixels : 4;
    for (int32_t i = 0; i < count;) {
      const int32_t gathered = conv2d_gather_some(p, in, at, i == 0, scratch + i);
      i += gathered;
      if (at.advance(p, gathered)) in += p.in_height * p.in_width * p.in_channels;
    }
    block(count);
  }
}

// weights: [out_channels / 4][taps][4], channels and taps (kernel_height * kernel_width * in_channels) padded with
// zeros to multiples of 4 and 2. scratch: 4 * taps bytes, taps rounded up likewise.
MOTE_KERNEL void conv2d_4x4_s8(const PackedConv2d& p, const int8_t* in, const int32_t* constants, int8_t* out,
                               int8_t* scratch) {
  const int32_t taps = p.kernel_height * p.kernel_width * p.in_channels;
  conv2d_by_four(p, in, scratch, [&](int32_t count) MOTE_INLINE {
    if (count == 4) {
      pixels_4x4(p.outputs, scratch, taps, constants, out);
      out += 4 * p.outputs.channels;
      return;
    }
    for (int32_t i = 0; i < count; ++i) {
      pixel_1x4(p.outputs, scratch + i, 4, taps, constants, out);
      out += p.outputs.channels;
    }
  });
}

}  // namespace nn
