// SPDX-License-Identifier: Apache-2.0
// Bilinear resizing of NHWC images.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

struct ResizeBilinear {
  int32_t batches, in_height, in_width, channels, out_height, out_width;
  int32_t first_row;  // of the output, in a strip of rows, whose input begins with what it needs; -1: no strip

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("in_height", in_height);
    f("in_width", in_width);
    f("channels", channels);
    f("out_height", out_height);
    f("out_width", out_width);
    f("first_row", first_row);
  }
};

// Calls mix(upper left, upper right, lower left, lower right, y, x) for every output element in order. The tables
// hold two input indices for each row and column of the whole output: those on either side of it.
template <class T, class Mix>
MOTE_KERNEL void for_each_corners(const ResizeBilinear& p, const T* in, const int16_t* rows,
                                  const int16_t* columns, Mix mix) {
  const int32_t first = p.first_row < 0 ? 0 : p.first_row;
  const int32_t first_in = p.first_row < 0 ? 0 : rows[2 * first];
  for (int32_t batch = 0; batch < p.batches; ++batch) {
    for (int32_t y = first; y < first + p.out_height; ++y) {
      const T* const upper = in + (rows[2 * y] - first_in) * p.in_width * p.channels;
      const T* const lower = in + (rows[2 * y + 1] - first_in) * p.in_width * p.channels;
      for (int32_t x = 0; x < p.out_width; ++x) {
        const int32_t left = columns[2 * x] * p.channels;
        const int32_t right = columns[2 * x + 1] * p.channels;
        mix(upper + left, upper + right, lower + left, lower + right, y, x);
      }
    }
    in += p.in_height * p.in_width * p.channels;
  }
}

// x / 2^20, halves away from zero.
template <class Sum>
MOTE_KERNEL Sum round_20_bits(Sum x) {
  constexpr Sum half = Sum{1} << 19;
  return x > 0 ? (x + half) >> 20 : -((half - x) >> 20);
}

// Fractions in 1/1024: the weights of the four corners add up to 2^20. `Sum` holds that times any value.
template <class Sum, class T>
MOTE_KERNEL void resize_bilinear(const ResizeBilinear& p, const T* in, const int16_t* rows, const int16_t* columns,
                                 const int16_t* row_fractions, const int16_t* column_fractions, T* out) {
  for_each_corners(
      p, in, rows, columns, [&](const T* a, const T* b, const T* c, const T* d, int32_t y, int32_t x) MOTE_INLINE {
        const int32_t below = row_fractions[y], right = column_fractions[x];
        const int32_t weight_a = (1024 - below) * (1024 - right), weight_b = (1024 - below) * right;
        const int32_t weight_c = below * (1024 - right), weight_d = below * right;
        for (const T* const end = a + p.channels; a != end;) {
          const Sum sum =
              Sum{*a++} * weight_a + Sum{*c++} * weight_c + Sum{*b++} * weight_b + Sum{*d++} * weight_d;
          *out++ = static_cast<T>(round_20_bits(sum));
        }
      });
}

MOTE_KERNEL void resize_bilinear_s8(const ResizeBilinear& p, const int8_t* in, const int16_t* rows,
                                    const int16_t* columns, const int16_t* row_fractions,
                                    const int16_t* column_fractions, int8_t* out) {
  resize_bilinear<int32_t>(p, in, rows, columns, row_fractions, column_fractions, out);
}
MOTE_KERNEL void resize_bilinear_s16(const ResizeBilinear& p, const int16_t* in, const int16_t* rows,
                                     const int16_t* columns, const int16_t* row_fractions,
                                     const int16_t* column_fractions, int16_t* out) {
  resize_bilinear<int64_t>(p, in, rows, columns, row_fractions, column_fractions, out);
}

// Places in single precision; `rounding` is added before the sum becomes a T.
template <class T>
MOTE_KERNEL void resize_bilinear_real(const ResizeBilinear& p, const T* in, const int16_t* rows,
                                      const int16_t* columns, const float* row_fractions,
                                      const float* column_fractions, float rounding, T* out) {
  for_each_corners(p, in, rows, columns,
                   [&](const T* a, const T* b, const T* c, const T* d, int32_t y, int32_t x) MOTE_INLINE {
                     const float below = row_fractions[y], right = column_fractions[x];
                     for (const T* const end = a + p.channels; a != end;) {
                       const float sum = static_cast<float>(*a++) * (1.0f - below) * (1.0f - right) +
                                         static_cast<float>(*c++) * below * (1.0f - right) +
                                         static_cast<float>(*b++) * (1.0f - below) * right +
                                         static_cast<float>(*d++) * below * right;
                       *out++ = static_cast<T>(sum + rounding);
                     }
                   });
}

MOTE_KERNEL void resize_bilinear_f32(const ResizeBilinear& p, const float* in, const int16_t* rows,
                                     const int16_t* columns, const float* row_fractions,
                                     const float* column_fractions, float* out) {
  resize_bilinear_real(p, in, rows, columns, row_fractions, column_fractions, 0.0f, out);
}
MOTE_KERNEL void resize_bilinear_u8(const ResizeBilinear& p, const uint8_t* in, const int16_t* rows,
                                    const int16_t* columns, const float* row_fractions,
                                    const float* column_fractions, uint8_t* out) {
  resize_bilinear_real(p, in, rows, columns, row_fractions, column_fractions, 0.5f, out);
}

}  // namespace nn
