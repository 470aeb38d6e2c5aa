// SPDX-License-Identifier: Apache-2.0
// Mean, sum and product over any set of axes.
#pragma once

#include "nn/reduce.hpp"

namespace nn {

struct RescaledSum {
  Reduce loops;
  int32_t offset;             // zero point of the input times the number of folded elements
  int32_t multiplier, shift;  // input scale / output scale, for a mean also / number of folded elements
  int32_t zero;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("loops", loops);
    f("offset", offset);
    f("multiplier", multiplier);
    f("shift", shift);
    f("zero", zero);
    f("low", low);
    f("high", high);
  }
};

// The output element of a sum; Params: RescaledSum, or another with its numbers.
template <class T, class Params>
MOTE_KERNEL T rescaled(const Params& p, int32_t sum) {
  const int32_t value = multiply_by_quantized_multiplier(sum - p.offset, p.multiplier, p.shift) + p.zero;
  return static_cast<T>(clamp(value, p.low, p.high));
}

template <class T>
MOTE_KERNEL void rescaled_sum(const RescaledSum& p, const T* in, T* out) {
  reduce(
      p.loops, in, int32_t{0}, [](int32_t so_far, T next) { return so_far + next; },
      [&](int32_t sum) MOTE_INLINE { *out++ = rescaled<T>(p, sum); });
}

MOTE_KERNEL void rescaled_sum_s8(const RescaledSum& p, const int8_t* in, int8_t* out) { rescaled_sum(p, in, out); }
MOTE_KERNEL void rescaled_sum_u8(const RescaledSum& p, const uint8_t* in, uint8_t* out) {
  rescaled_sum(p, in, out);
}
MOTE_KERNEL void rescaled_sum_s16(const RescaledSum& p, const int16_t* in, int16_t* out) {
  rescaled_sum(p, in, out);
}

struct MeanFloat {
  Reduce loops;
  float count;  // of folded elements

  template <class F>
  constexpr void fields(F&& f) const {
    f("loops", loops);
    f("count", count);
  }
};

MOTE_KERNEL void mean_f32(const MeanFloat& p, const float* in, float* out) {
  reduce(
      p.loops, in, 0.0f, [](float so_far, float next) { return so_far + next; },
      [&](float sum) MOTE_INLINE { *out++ = sum / p.count; });
}

// Integers wrap. `U` is the unsigned type of T's size.
template <class U, class T>
MOTE_KERNEL void sum(const Reduce& p, const T* in, T* out) {
  reduce(
      p, in, U{0}, [](U so_far, T next) { return so_far + static_cast<U>(next); },
      [&](U value) MOTE_INLINE { *out++ = static_cast<T>(value); });
}
template <class U, class T>
MOTE_KERNEL void product(const Reduce& p, const T* in, T* out) {
  reduce(
      p, in, U{1}, [](U so_far, T next) { return so_far * static_cast<U>(next); },
      [&](U value) MOTE_INLINE { *out++ = static_cast<T>(value); });
}

MOTE_KERNEL void sum_s32(const Reduce& p, const int32_t* in, int32_t* out) { sum<uint32_t>(p, in, out); }
MOTE_KERNEL void sum_s64(const Reduce& p, const int64_t* in, int64_t* out) { sum<uint64_t>(p, in, out); }
MOTE_KERNEL void sum_f32(const Reduce& p, const float* in, float* out) { sum<float>(p, in, out); }
MOTE_KERNEL void product_s32(const Reduce& p, const int32_t* in, int32_t* out) { product<uint32_t>(p, in, out); }
MOTE_KERNEL void product_s64(const Reduce& p, const int64_t* in, int64_t* out) { product<uint64_t>(p, in, out); }
MOTE_KERNEL void product_f32(const Reduce& p, const float* in, float* out) { product<float>(p, in, out); }

}  // namespace nn
