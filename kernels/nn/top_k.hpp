// SPDX-License-Identifier: Apache-2.0
// The largest elements of each row, in falling order, and where they stand.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

struct TopK {
  int32_t rows, extent, k;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("extent", extent);
    f("k", k);
  }
};

// Each element sinks from the end to its place among those kept; of equal ones the first stays in front.
template <class T>
MOTE_KERNEL void top_k(const TopK& p, const T* in, T* values, int32_t* indices) {
  for (int32_t row = 0; row < p.rows; ++row, in += p.extent, values += p.k, indices += p.k) {
    for (int32_t i = 0; i < p.extent; ++i) {
      int32_t place = i < p.k ? i : p.k;
      for (; place > 0 && in[i] > values[place - 1]; --place) {
        if (place == p.k) continue;
        values[place] = values[place - 1];
        indices[place] = indices[place - 1];
      }
      if (place == p.k) continue;
      values[place] = in[i];
      indices[place] = i;
    }
  }
}

}  // namespace nn
