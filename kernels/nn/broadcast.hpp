// SPDX-License-Identifier: Apache-2.0
// The walk over tensors that are broadcast to one shape.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// `table` has a row for each of 1 to 6 dimensions, outermost first: extent, then the stride of each of the
// `Inputs` tensors (0: repeated). Calls body(index in each input) for every element in row-major order.
template <int Inputs, class Body>
MOTE_KERNEL void for_each_broadcast(int32_t dimensions, const int32_t* table, Body body) {
  constexpr int32_t columns = 1 + Inputs;
  const int32_t* const inner = table + columns * (dimensions - 1);
  int32_t at[5] = {0, 0, 0, 0, 0};
  int32_t start[Inputs] = {};
  for (int32_t d = 0; d >= 0;) {
    int32_t index[Inputs];
    for (int k = 0; k < Inputs; ++k) index[k] = start[k];
    for (int32_t i = 0; i < inner[0]; ++i) {
      body(index);
      for (int k = 0; k < Inputs; ++k) index[k] += inner[1 + k];
    }
    for (d = dimensions - 2; d >= 0; --d) {
      const int32_t* const row = table + columns * d;
      for (int k = 0; k < Inputs; ++k) start[k] += row[1 + k];
      if (++at[d] < row[0]) break;
      at[d] = 0;
      for (int k = 0; k < Inputs; ++k) start[k] -= row[0] * row[1 + k];
    }
  }
}

}  // namespace nn
