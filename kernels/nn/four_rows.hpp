// SPDX-License-Identifier: Apache-2.0
// Sums of products of one row of bytes with four rows of weights, as they are: for kernels that make something
// else of them than convolutions do.
//
// A kernel takes one of these structures, each with its order of weights (ops/four_rows.hpp packs them) and
//   multiply(values, taps, weights, starts, sums): sums[row] = starts[2 * row] + products; returns the next
//   weights.
#pragma once

#include <stdint.h>

#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"
#include "nn/multiply_1x4.hpp"

namespace nn {

// [taps, rounded up to an even number][4 rows]
struct ScalarRows {
  static MOTE_KERNEL const int8_t* multiply(const int8_t* values, int32_t taps, const int8_t* weights,
                                            const int32_t* starts, int32_t* sums) {
    return multiply_1x4(values, 1, taps, weights, starts, sums);
  }
};

}  // namespace nn

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/four_rows.hpp"
#else

namespace nn {

// The products of four bytes with four, added to `sum`.
MOTE_KERNEL int32_t add_four_products(uint32_t values, uint32_t weights, int32_t sum) {
  for (int i = 0; i < 32; i += 8) {
    sum += static_cast<int8_t>(values >> i) * static_cast<int8_t>(weights >> i);
  }
  return sum;
}

}  // namespace nn
#endif

namespace nn {

// [taps / 4, rounded up][4 rows][4 taps]: two products in an instruction.
struct PairedRows {
  MOTE_SHARED const int8_t* multiply(const int8_t* values, int32_t taps, const int8_t* weights,
                                     const int32_t* starts, int32_t* sums) {
    MOTE_HAS_EFFECTS;
    int32_t sum0 = starts[0], sum1 = starts[2], sum2 = starts[4], sum3 = starts[6];
    const auto add = [&](uint32_t word, const int8_t* rows) MOTE_INLINE {
      sum0 = add_four_products(word, load_word(rows), sum0);
      sum1 = add_four_products(word, load_word(rows + 4), sum1);
      sum2 = add_four_products(word, load_word(rows + 8), sum2);
      sum3 = add_four_products(word, load_word(rows + 12), sum3);
    };
    const int8_t* const end = values + (taps & ~3);
    for (; values != end; values += 4, weights += 16) add(load_word(values), weights);
    if ((taps & 3) != 0) {
      uint32_t word = 0;
      for (int32_t i = 0; i < (taps & 3); ++i) word |= uint32_t{static_cast<uint8_t>(values[i])} << 8 * i;
      add(word, weights);
      weights += 16;
    }
    sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
    return weights;
  }
};

}  // namespace nn

#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/four_rows.hpp"
#else

namespace nn {

// [taps / 16][4 rows][16 taps], then [4 rows][the rest, rounded up to a multiple of 4]; 16 bytes more may be read.
struct VectorRows {
  static MOTE_KERNEL const int8_t* multiply(const int8_t* values, int32_t taps, const int8_t* weights,
                                            const int32_t* starts, int32_t* sums) {
    for (int32_t row = 0; row < 4; ++row) sums[row] = starts[2 * row];
    for (; taps > 0; taps -= 16, values += 16) {
      const int32_t together = taps < 16 ? taps : 16;
      for (int32_t row = 0; row < 4; ++row, weights += (together + 3) & ~3) {
        for (int32_t k = 0; k < together; ++k) sums[row] += values[k] * weights[k];
      }
    }
    return weights;
  }
};

}  // namespace nn
#endif
