// SPDX-License-Identifier: Apache-2.0
// Running sums along an axis.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// in and out: outer x extent x inner.
struct Cumsum {
  int32_t outer, extent, inner;
  bool exclusive, reverse;

  template <class F>
  constexpr void fields(F&& f) const {
    f("outer", outer);
    f("extent", extent);
    f("inner", inner);
    f("exclusive", exclusive);
    f("reverse", reverse);
  }
};

// Integers wrap: U is the unsigned type of T's size (float: itself).
template <class T, class U>
MOTE_KERNEL void cumsum(const Cumsum& p, const T* in, T* out) {
  const int32_t step = p.reverse ? -p.inner : p.inner;
  const int32_t first = p.reverse ? (p.extent - 1) * p.inner : 0;
  for (int32_t i = 0; i < p.outer; ++i, in += p.extent * p.inner, out += p.extent * p.inner) {
    for (int32_t j = 0; j < p.inner; ++j) {
      U sum{0};
      int32_t at = first + j;
      for (int32_t k = 0; k < p.extent; ++k, at += step) {
        const U next = sum + static_cast<U>(in[at]);
        out[at] = static_cast<T>(p.exclusive ? sum : next);
        sum = next;
      }
    }
  }
}

// Sums of codes without a zero point, times 2^19 as in the reference, brought to the output's scale.
struct QuantizedCumsum {
  Cumsum sums;
  int32_t multiplier, shift, zero;

  template <class F>
  constexpr void fields(F&& f) const {
    f("sums", sums);
    f("multiplier", multiplier);
    f("shift", shift);
    f("zero", zero);
  }
};

MOTE_KERNEL void cumsum_s8(const QuantizedCumsum& p, const int8_t* in, int8_t* out) {
  const Cumsum& s = p.sums;
  const int32_t step = s.reverse ? -s.inner : s.inner;
  const int32_t first = s.reverse ? (s.extent - 1) * s.inner : 0;
  for (int32_t i = 0; i < s.outer; ++i, in += s.extent * s.inner, out += s.extent * s.inner) {
    for (int32_t j = 0; j < s.inner; ++j) {
      uint32_t sum = 0;
      int32_t at = first + j;
      for (int32_t k = 0; k < s.extent; ++k, at += step) {
        const uint32_t next = sum + (static_cast<uint32_t>(in[at]) << 19);
        const auto shown = static_cast<int32_t>(s.exclusive ? sum : next);
        out[at] = static_cast<int8_t>(
            clamp(multiply_by_quantized_multiplier(shown, p.multiplier, p.shift) + p.zero, -128, 127));
        sum = next;
      }
    }
  }
}

MOTE_KERNEL void cumsum_s32(const Cumsum& p, const int32_t* in, int32_t* out) {
  cumsum<int32_t, uint32_t>(p, in, out);
}
MOTE_KERNEL void cumsum_s64(const Cumsum& p, const int64_t* in, int64_t* out) {
  cumsum<int64_t, uint64_t>(p, in, out);
}
MOTE_KERNEL void cumsum_f32(const Cumsum& p, const float* in, float* out) { cumsum<float, float>(p, in, out); }

}  // namespace nn
