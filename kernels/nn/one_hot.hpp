// SPDX-License-Identifier: Apache-2.0
// Indices as vectors that are "on" in one place.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// indices: outer x inner; out: outer x depth x inner.
struct OneHot {
  int32_t outer, depth, inner;

  template <class F>
  constexpr void fields(F&& f) const {
    f("outer", outer);
    f("depth", depth);
    f("inner", inner);
  }
};

template <class T, class I>
MOTE_KERNEL void one_hot(const OneHot& p, const I* indices, const T* on, const T* off, T* out) {
  for (int32_t i = 0; i < p.outer; ++i, indices += p.inner) {
    for (int32_t d = 0; d < p.depth; ++d) {
      for (int32_t j = 0; j < p.inner; ++j) *out++ = indices[j] == d ? *on : *off;
    }
  }
}

}  // namespace nn
