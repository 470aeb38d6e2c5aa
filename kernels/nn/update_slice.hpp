// SPDX-License-Identifier: Apache-2.0
// Tensors that are written in places known at run time only: a block over a larger tensor, tuples of indices.
#pragma once

#include "nn/copy.hpp"

namespace nn {

struct UpdateSlice {
  int32_t count;       // elements of the larger tensor
  int32_t dimensions;  // 1 to 6, of both
  int32_t inner;       // innermost extent of the block

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("dimensions", dimensions);
    f("inner", inner);
  }
};

// `table` has a row a dimension, outermost first: how far the block may be moved, the block's extent, the stride
// of the larger tensor. The block is moved to where it fits.
template <class T, class I>
MOTE_KERNEL void update_slice(const UpdateSlice& p, const T* in, const T* block, const I* starts,
                              const int32_t* table, T* out) {
  copy_elements(in, out, p.count);
  for (int32_t d = 0; d < p.dimensions; ++d) {
    const I start = starts[d];
    const int32_t room = table[3 * d];
    out += (start < 0 ? 0 : start < room ? static_cast<int32_t>(start) : room) * table[3 * d + 2];
  }
  int32_t at[5] = {0, 0, 0, 0, 0};
  for (int32_t d = 0; d >= 0;) {
    copy_elements(block, out, p.inner);
    block += p.inner;
    for (d = p.dimensions - 2; d >= 0; --d) {
      const int32_t* const row = table + 3 * d;
      out += row[2];
      if (++at[d] < row[1]) break;
      at[d] = 0;
      out -= row[1] * row[2];
    }
  }
}

struct ScatterNd {
  int32_t elements;             // of the output
  int32_t count, depth, inner;  // tuples, indices of each, elements that each adds

  template <class F>
  constexpr void fields(F&& f) const {
    f("elements", elements);
    f("count", count);
    f("depth", depth);
    f("inner", inner);
  }
};

MOTE_KERNEL float wrapping_sum(float a, float b) { return a + b; }
template <class Integer>
MOTE_KERNEL Integer wrapping_sum(Integer a, Integer b) {
  return static_cast<Integer>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// Sums of updates, zero elsewhere; integers wrap. Negative indices count from the end; a tuple outside the tensor
// is left out. The table has a row for each index of a tuple: extent, stride.
template <class T, class I>
MOTE_KERNEL void scatter_nd(const ScatterNd& p, const I* indices, const T* updates, const int32_t* table, T* out) {
  for (int32_t i = 0; i < p.elements; ++i) out[i] = T{};
  for (int32_t i = 0; i < p.count; ++i, updates += p.inner) {
    int32_t place = 0;
    bool inside = true;
    for (int32_t d = 0; d < p.depth; ++d) {
      const int32_t extent = table[2 * d];
      const I index = *indices++;
      inside = inside && index >= -extent && index < extent;
      place += (inside ? static_cast<int32_t>(index) + (index < 0 ? extent : 0) : 0) * table[2 * d + 1];
    }
    for (int32_t k = 0; inside && k < p.inner; ++k) out[place + k] = wrapping_sum(out[place + k], updates[k]);
  }
}

}  // namespace nn
