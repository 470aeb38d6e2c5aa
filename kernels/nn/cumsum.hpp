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

MOTE_KERNEL void cumsum_s32(const Cumsum& p, const int32_t* in, int32_t* out) {
  cumsum<int32_t, uint32_t>(p, in, out);
}
MOTE_KERNEL void cumsum_s64(const Cumsum& p, const int64_t* in, int64_t* out) {
  cumsum<int64_t, uint64_t>(p, in, out);
}
MOTE_KERNEL void cumsum_f32(const Cumsum& p, const float* in, float* out) { cumsum<float, float>(p, in, out); }

}  // namespace nn
