// SPDX-License-Identifier: Apache-2.0
// Slices of a tensor chosen by indices that are known at run time only.
#pragma once

#include "nn/copy.hpp"

namespace nn {

// Negative indices count from the end. A device cannot report one outside the tensor: the nearest one inside is
// taken.
template <class I>
MOTE_KERNEL int32_t bounded_index(I index, int32_t extent) {
  if (index < 0) return index < -extent ? 0 : static_cast<int32_t>(index) + extent;
  return index < extent ? static_cast<int32_t>(index) : extent - 1;
}

// in: batches x outer x extent x inner; indices: batches x count; out: batches x outer x count x inner.
struct Gather {
  int32_t batches, outer, extent, count, inner;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches);
    f("outer", outer);
    f("extent", extent);
    f("count", count);
    f("inner", inner);
  }
};

template <class T, class I>
MOTE_KERNEL void gather(const Gather& p, const T* in, const I* indices, T* out) {
  for (int32_t batch = 0; batch < p.batches; ++batch, indices += p.count) {
    for (int32_t outer = 0; outer < p.outer; ++outer, in += p.extent * p.inner) {
      for (int32_t i = 0; i < p.count; ++i, out += p.inner) {
        copy_elements(in + bounded_index(indices[i], p.extent) * p.inner, out, p.inner);
      }
    }
  }
}

// Each of `count` tuples of `depth` indices names a slice of `inner` elements. The table has a row for each index
// of a tuple: extent, stride.
struct GatherNd {
  int32_t count, depth, inner;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("depth", depth);
    f("inner", inner);
  }
};

template <class T, class I>
MOTE_KERNEL void gather_nd(const GatherNd& p, const T* in, const I* indices, const int32_t* table, T* out) {
  for (int32_t i = 0; i < p.count; ++i, out += p.inner) {
    const T* from = in;
    for (int32_t d = 0; d < p.depth; ++d) from += bounded_index(*indices++, table[2 * d]) * table[2 * d + 1];
    copy_elements(from, out, p.inner);
  }
}

}  // namespace nn
