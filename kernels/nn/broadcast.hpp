// SPDX-License-Identifier: Apache-2.0
// The walk over two tensors that are broadcast to one shape.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// `table` has a row for each of at most 6 dimensions, outermost first: extent, stride of a, stride of b (0:
// repeated). Calls body(index in a, index in b) for every element in row-major order.
template <class Body>
MOTE_KERNEL void for_each_broadcast(int32_t dimensions, const int32_t* table, Body body) {
  int32_t at[6] = {0, 0, 0, 0, 0, 0};
  int32_t a = 0, b = 0;
  int32_t d = 0;
  while (d >= 0) {
    body(a, b);
    for (d = dimensions - 1; d >= 0; --d) {
      const int32_t* row = table + 3 * d;
      a += row[1];
      b += row[2];
      if (++at[d] < row[0]) break;
      at[d] = 0;
      a -= row[0] * row[1];
      b -= row[0] * row[2];
    }
  }
}

}  // namespace nn
