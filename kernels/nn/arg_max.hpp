// SPDX-License-Identifier: Apache-2.0
// The index of the largest or smallest element along an axis, the first of equal ones.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// in: outer x extent x inner.
struct ArgMax {
  int32_t outer, extent, inner;
  bool minimum;

  template <class F>
  constexpr void fields(F&& f) const {
    f("outer", outer);
    f("extent", extent);
    f("inner", inner);
    f("minimum", minimum);
  }
};

template <class T, class I>
MOTE_KERNEL void arg_max(const ArgMax& p, const T* in, I* out) {
  for (int32_t i = 0; i < p.outer; ++i, in += p.extent * p.inner) {
    for (int32_t j = 0; j < p.inner; ++j) {
      const T* at = in + j;
      T best = *at;
      int32_t place = 0;
      for (int32_t k = 1; k < p.extent; ++k) {
        at += p.inner;
        if (p.minimum ? *at < best : *at > best) {
          best = *at;
          place = k;
        }
      }
      *out++ = static_cast<I>(place);
    }
  }
}

}  // namespace nn
