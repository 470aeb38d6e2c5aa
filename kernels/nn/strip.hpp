// SPDX-License-Identifier: Apache-2.0
// Row strips: closed forms of which rows exist when, and the move of the rows that a window keeps.
#pragma once

#include <stdint.h>

#include "nn/move_bytes.hpp"

namespace nn {

// A number of rows that never falls: floor((x * step + start) / 2^shift), at least 0 and at most `rows`. x is the
// number of a strip (how many rows are done after it) or of an output row (where its input begins or ends).
struct RowCount {
  int32_t step, start, shift, rows;

  MOTE_KERNEL constexpr int32_t at(int32_t x) const {
    const int32_t count = (x * step + start) >> shift;
    return count < 0 ? 0 : count > rows ? rows : count;
  }
};

MOTE_KERNEL constexpr int32_t fewer(int32_t a, int32_t b) { return a < b ? a : b; }

MOTE_SHARED void move_rows(uint8_t* to, const uint8_t* from, int32_t count) {
  MOTE_HAS_EFFECTS;
  move_down(to, from, count);
}

// The window holds rows from number `first` on; afterwards it begins with row `next`. Rows before `end` are kept.
MOTE_KERNEL void slide_rows(uint8_t* window, int32_t row_bytes, int32_t first, int32_t next, int32_t end) {
  if (next == first) return;
  move_rows(window, window + (next - first) * row_bytes, (end - next) * row_bytes);
}

}  // namespace nn
