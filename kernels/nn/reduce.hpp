// SPDX-License-Identifier: Apache-2.0
// The walk of reductions over any set of axes: mean, maximum, minimum.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// Neighbouring axes of one kind are merged, so that six dimensions give at most three groups of either kind.
// kept_*: extents and input strides of what stays, outermost first; folded_*: of what is reduced.
struct Reduce {
  int32_t kept_0, kept_1, kept_2, kept_stride_0, kept_stride_1, kept_stride_2;
  int32_t folded_0, folded_1, folded_2, folded_stride_0, folded_stride_1, folded_stride_2;

  template <class F>
  constexpr void fields(F&& f) const {
    f("kept_0", kept_0);
    f("kept_1", kept_1);
    f("kept_2", kept_2);
    f("kept_stride_0", kept_stride_0);
    f("kept_stride_1", kept_stride_1);
    f("kept_stride_2", kept_stride_2);
    f("folded_0", folded_0);
    f("folded_1", folded_1);
    f("folded_2", folded_2);
    f("folded_stride_0", folded_stride_0);
    f("folded_stride_1", folded_stride_1);
    f("folded_stride_2", folded_stride_2);
  }
};

// Calls write(value) for every output element in order, `value` being `start` folded with the element's inputs.
template <class T, class Value, class Fold, class Write>
MOTE_KERNEL void reduce(const Reduce& p, const T* in, Value start, Fold fold, Write write) {
  for (int32_t i = 0; i < p.kept_0; ++i, in += p.kept_stride_0) {
    const T* from_1 = in;
    for (int32_t j = 0; j < p.kept_1; ++j, from_1 += p.kept_stride_1) {
      const T* from_2 = from_1;
      for (int32_t k = 0; k < p.kept_2; ++k, from_2 += p.kept_stride_2) {
        Value value = start;
        const T* x = from_2;
        for (int32_t l = 0; l < p.folded_0; ++l, x += p.folded_stride_0) {
          const T* y = x;
          for (int32_t m = 0; m < p.folded_1; ++m, y += p.folded_stride_1) {
            const T* z = y;
            for (int32_t n = 0; n < p.folded_2; ++n, z += p.folded_stride_2) value = fold(value, *z);
          }
        }
        write(value);
      }
    }
  }
}

}  // namespace nn
