// SPDX-License-Identifier: Apache-2.0
// Slices of a tensor replaced by others, or combined with them, at places that indices name.
#pragma once

#include "nn/gather.hpp"

namespace nn {

constexpr int32_t scatter_replaces = 0, scatter_adds = 1, scatter_multiplies = 2, scatter_keeps_largest = 3,
                  scatter_keeps_smallest = 4;

// data, out: slices x inner; places: count; updates: count x inner.
struct Scatter {
  int32_t slices, count, inner, mode;

  template <class F>
  constexpr void fields(F&& f) const {
    f("slices", slices);
    f("count", count);
    f("inner", inner);
    f("mode", mode);
  }
};

// Integers wrap.
template <class T>
MOTE_KERNEL T combined(int32_t mode, T old, T update) {
  if (mode == scatter_keeps_largest) return old < update ? update : old;
  if (mode == scatter_keeps_smallest) return update < old ? update : old;
  if (mode == scatter_replaces) return update;
  return static_cast<T>(mode == scatter_adds ? static_cast<uint64_t>(old) + static_cast<uint64_t>(update)
                                             : static_cast<uint64_t>(old) * static_cast<uint64_t>(update));
}
MOTE_KERNEL float combined(int32_t mode, float old, float update) {
  if (mode == scatter_keeps_largest) return old < update ? update : old;
  if (mode == scatter_keeps_smallest) return update < old ? update : old;
  if (mode == scatter_replaces) return update;
  return mode == scatter_adds ? old + update : old * update;
}

// One after the other: of two updates of one place the later one stays.
template <class T, class I>
MOTE_KERNEL void scatter(const Scatter& p, const T* data, const I* places, const T* updates, T* out) {
  copy_elements(data, out, p.slices * p.inner);
  for (int32_t i = 0; i < p.count; ++i, updates += p.inner) {
    T* const slice = out + bounded_index(places[i], p.slices) * p.inner;
    for (int32_t k = 0; k < p.inner; ++k) slice[k] = combined(p.mode, slice[k], updates[k]);
  }
}

}  // namespace nn
