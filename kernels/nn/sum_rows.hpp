// SPDX-License-Identifier: Apache-2.0
// A global mean in two parts: the sums of the channels, to which rows are added as they come, and what becomes of
// them.
#pragma once

#include "nn/float_math.hpp"
#include "nn/mean.hpp"
#include "nn/pool.hpp"

namespace nn {

struct SumRows {
  int32_t first_row;  // 0: the sums begin here
  int32_t rows, width, channels;

  template <class F>
  constexpr void fields(F&& f) const {
    f("first_row", first_row);
    f("rows", rows);
    f("width", width);
    f("channels", channels);
  }
};

// Pixel after pixel, in the order in which a sum over all rows takes them.
template <class T, class Sum>
MOTE_KERNEL void sum_rows(const SumRows& p, const T* in, Sum* sums) {
  const int32_t pixels = p.rows * p.width;
  for (int32_t channel = 0; channel < p.channels; ++channel) {
    Sum sum = p.first_row == 0 ? Sum{0} : sums[channel];
    const T* x = in + channel;
    for (int32_t pixel = 0; pixel < pixels; ++pixel, x += p.channels) sum += *x;
    sums[channel] = sum;
  }
}

MOTE_KERNEL void sum_rows_s8(const SumRows& p, const int8_t* in, int32_t* sums) { sum_rows(p, in, sums); }
MOTE_KERNEL void sum_rows_u8(const SumRows& p, const uint8_t* in, int32_t* sums) { sum_rows(p, in, sums); }
MOTE_KERNEL void sum_rows_s16(const SumRows& p, const int16_t* in, int32_t* sums) { sum_rows(p, in, sums); }
MOTE_KERNEL void sum_rows_f32(const SumRows& p, const float* in, float* sums) { sum_rows(p, in, sums); }

// As RescaledSum.
struct RescaledSums {
  int32_t channels, offset, multiplier, shift, zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels);
    f("offset", offset);
    f("multiplier", multiplier);
    f("shift", shift);
    f("zero", zero);
    f("low", low);
    f("high", high);
  }
};

template <class T>
MOTE_KERNEL void rescaled_sums(const RescaledSums& p, const int32_t* sums, T* out) {
  for (int32_t channel = 0; channel < p.channels; ++channel) out[channel] = rescaled<T>(p, sums[channel]);
}

MOTE_KERNEL void rescaled_sums_s8(const RescaledSums& p, const int32_t* sums, int8_t* out) {
  rescaled_sums(p, sums, out);
}
MOTE_KERNEL void rescaled_sums_u8(const RescaledSums& p, const int32_t* sums, uint8_t* out) {
  rescaled_sums(p, sums, out);
}
MOTE_KERNEL void rescaled_sums_s16(const RescaledSums& p, const int32_t* sums, int16_t* out) {
  rescaled_sums(p, sums, out);
}

// As AveragePool with a window of all pixels.
template <class Limit>
struct AverageOf {
  int32_t channels, count;
  Limit low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels);
    f("count", count);
    f("low", low);
    f("high", high);
  }
};
using Average = AverageOf<int32_t>;
using AverageFloat = AverageOf<float>;

template <class T>
MOTE_KERNEL void average_of_sums(const Average& p, const int32_t* sums, T* out) {
  for (int32_t channel = 0; channel < p.channels; ++channel)
    out[channel] = static_cast<T>(clamp(rounded_mean(sums[channel], p.count), p.low, p.high));
}

MOTE_KERNEL void average_of_sums_s8(const Average& p, const int32_t* sums, int8_t* out) {
  average_of_sums(p, sums, out);
}
MOTE_KERNEL void average_of_sums_s16(const Average& p, const int32_t* sums, int16_t* out) {
  average_of_sums(p, sums, out);
}

MOTE_KERNEL void average_of_sums_f32(const AverageFloat& p, const float* sums, float* out) {
  for (int32_t channel = 0; channel < p.channels; ++channel)
    out[channel] = clamp_f32(sums[channel] / static_cast<float>(p.count), p.low, p.high);
}

}  // namespace nn
