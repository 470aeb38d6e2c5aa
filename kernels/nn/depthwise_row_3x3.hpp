// SPDX-License-Identifier: Apache-2.0
// One output row of a depthwise 3x3 convolution in products of pairs of 16-bit numbers.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/multiply_paired.hpp"

namespace nn {

// The work of one call: all channels of one output row. The assembly knows the members' places.
struct DepthwiseRow {
  uint32_t edge;                  // 0 where all rows of the window lie inside
  uint32_t pair_mask, last_mask;  // zeros for the weights of rows 0 and 1, and of row 2, that lie outside
  const int8_t* rows[3];          // the window's rows, from their first pixel on; any row instead of one outside
  int8_t* out;
  const int8_t* weights;  // nine bytes a channel, see depthwise_place
  const int32_t* scales;  // {bias, multiplier, offset} a channel; offset as for requantize_paired
  int32_t channels;
  int32_t span;         // bytes from the first window's last column to the last that lies inside, plus one step
  int32_t left, right;  // 1 where the first or last window has a column outside
  uint32_t zero_pair, zero;  // the input's zero point, which fills these
  // The assembly's own, but for step (channels) and delta (from a window's last column to its output).
  int32_t multiplier, offset, shift;
  int32_t step;
  uintptr_t delta, end;
  uint32_t weight_pairs[5];  // left, middle, right column of rows 0 and 1; left and middle, right of row 2
  int32_t bias;
  int32_t stride;  // only where one function serves both
};

}  // namespace nn

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/depthwise_row_3x3.hpp"
#else

namespace nn {

// Where the weight of row ky and column kx stands among a channel's nine bytes: two words unpack to the pairs of
// rows 0 and 1 of the left and the middle column; the pair of the right one, and left and middle of row 2; last
// the right one of row 2.
MOTE_KERNEL int32_t depthwise_place(int32_t ky, int32_t kx) {
  constexpr int8_t place[3][3] = {{0, 1, 4}, {2, 3, 6}, {5, 7, 8}};
  return place[ky][kx];
}

MOTE_KERNEL void depthwise_row_3x3(const DepthwiseRow& row, int32_t stride) {
  const int32_t step = row.step;
  const int32_t inside = row.span / (stride * step);
  for (int32_t c = 0; c < row.channels; ++c) {
    const int8_t* const weights = row.weights + 9 * c;
    const bool inside_rows[3] = {(row.pair_mask & 0xFFFF) != 0, (row.pair_mask >> 16) != 0, row.last_mask != 0};
    for (int32_t i = 0; i < inside + row.right; ++i) {
      int32_t sum = row.scales[3 * c];
      for (int32_t kx = 0; kx < 3; ++kx) {
        const bool outside = (row.left != 0 && i == 0 && kx == 0) || (i == inside && kx == 2);
        const int32_t x = i * stride + kx - row.left;
        for (int32_t ky = 0; ky < 3; ++ky) {
          const bool pad = outside || !inside_rows[ky];
          const int32_t value = pad ? static_cast<int32_t>(row.zero) : row.rows[ky][x * step + c];
          sum += value * weights[depthwise_place(ky, kx)];
        }
      }
      row.out[i * step + c] =
          static_cast<int8_t>(requantize_paired(sum, row.scales[3 * c + 1], row.scales[3 * c + 2]));
    }
  }
}

}  // namespace nn
#endif
