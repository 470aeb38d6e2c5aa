// SPDX-License-Identifier: Apache-2.0
// Products of matrices, for every batch of two tensors that are broadcast to one shape.
#pragma once

#include "nn/broadcast.hpp"
#include "nn/fixed.hpp"

namespace nn {

// out[row][column] = sum over k of lhs[row * lhs_row + k * lhs_step] * rhs[column * rhs_column + k * rhs_step].
struct BatchMatmul {
  int32_t dimensions;  // of the table of batches, whose strides count matrices
  int32_t rows, depth, columns;
  int32_t lhs_row, lhs_step, rhs_column, rhs_step;
  int32_t lhs_zero, rhs_zero, multiplier, shift, out_zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("dimensions", dimensions), f("rows", rows), f("depth", depth), f("columns", columns);
    f("lhs_row", lhs_row), f("lhs_step", lhs_step), f("rhs_column", rhs_column), f("rhs_step", rhs_step);
    f("lhs_zero", lhs_zero), f("rhs_zero", rhs_zero), f("multiplier", multiplier), f("shift", shift);
    f("out_zero", out_zero), f("low", low), f("high", high);
  }
};

// Calls finish(sum, column) for every output element in memory order and stores what it returns. Factor is what a
// product is computed in.
template <class Factor, class Sum, class T, class Finish>
MOTE_KERNEL void batch_matmul(const BatchMatmul& p, const T* lhs, const T* rhs, const int32_t* table, T* out,
                              Finish finish) {
  const auto lhs_zero = static_cast<Factor>(p.lhs_zero);
  const auto rhs_zero = static_cast<Factor>(p.rhs_zero);
  for_each_broadcast<2>(p.dimensions, table, [&](const int32_t* at) MOTE_INLINE {
    const T* row = lhs + at[0] * p.rows * p.depth;
    for (int32_t y = 0; y < p.rows; ++y) {
      const T* column = rhs + at[1] * p.depth * p.columns;
      for (int32_t x = 0; x < p.columns; ++x) {
        Sum sum = 0;
        for (int32_t k = 0; k < p.depth; ++k) {
          sum += static_cast<Sum>((static_cast<Factor>(row[k * p.lhs_step]) - lhs_zero) *
                                  (static_cast<Factor>(column[k * p.rhs_step]) - rhs_zero));
        }
        *out++ = finish(sum, x);
        column += p.rhs_column;
      }
      row += p.lhs_row;
    }
  });
}

// bias: one for each column, or nullptr.
MOTE_KERNEL void batch_matmul_s8(const BatchMatmul& p, const int8_t* lhs, const int8_t* rhs, const int32_t* bias,
                                 const int32_t* table, int8_t* out) {
  batch_matmul<int32_t, uint32_t>(p, lhs, rhs, table, out, [&](uint32_t sum, int32_t column) MOTE_INLINE {
    if (bias != nullptr) sum += static_cast<uint32_t>(bias[column]);
    const int32_t scaled = multiply_by_quantized_multiplier(static_cast<int32_t>(sum), p.multiplier, p.shift);
    return static_cast<int8_t>(clamp(scaled + p.out_zero, p.low, p.high));
  });
}

// Zero points are 0: a product fits 32 bits.
MOTE_KERNEL void batch_matmul_s16(const BatchMatmul& p, const int16_t* lhs, const int16_t* rhs,
                                  const int32_t* table, int16_t* out) {
  batch_matmul<int32_t, int64_t>(p, lhs, rhs, table, out, [&](int64_t sum, int32_t) MOTE_INLINE {
    return static_cast<int16_t>(clamp(multiply_by_reduced_multiplier(sum, p.multiplier, p.shift), p.low, p.high));
  });
}

MOTE_KERNEL void batch_matmul_f32(const BatchMatmul& p, const float* lhs, const float* rhs, const int32_t* table,
                                  float* out) {
  batch_matmul<float, float>(p, lhs, rhs, table, out, [](float sum, int32_t) { return sum; });
}

}  // namespace nn
