// SPDX-License-Identifier: Apache-2.0
// What operators with a sliding window share when they work on a strip of rows.
#pragma once

#include "ir/rows.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote {

// No kernel is made for an image without rows.
[[nodiscard]] inline bool reads_padding_only(const RowStrip& strip) { return strip.in[0].low >= strip.in[0].high; }

// The vertical padding of the strip as an image of its own: what its windows reach beyond the rows they read.
[[nodiscard]] inline Padding strip_padding(const Window& window, int64_t before, const RowStrip& strip) {
  const Region::Range& in = strip.in[0];
  const int64_t first = strip.out.low * window.stride - before;
  const int64_t end = (strip.out.high - 1) * window.stride - before + window.span();
  return {in.low - first, end - in.high};
}

}  // namespace mote
