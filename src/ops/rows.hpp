// SPDX-License-Identifier: Apache-2.0
// Operators that work on each row of the innermost dimension by itself.
#pragma once

#include "ops/checks.hpp"

namespace mote::op {

struct Rows {
  int32_t count = 0, depth = 0;
};

[[nodiscard]] inline Rows rows_of(const Shape& shape) {
  require(!shape.empty() && elements(shape) > 0,
          "needs an input with at least one element and one dimension, it has {}", to_text(shape));
  return {narrow<int32_t>(elements(shape) / shape.back()), narrow<int32_t>(shape.back())};
}

// The rows that `region` touches, from end to end.
[[nodiscard]] inline Region whole_rows(Region region, const Shape& shape) {
  region.dims[shape.size() - 1] = {0, shape.back()};
  return region;
}

// One row a step; a row is written while it is still being read.
[[nodiscard]] inline Order row_by_row(const Shape& shape) {
  return {.dims = static_cast<int>(shape.size()) - 1, .block = 1, .reads_first = false};
}

// Applies `row(first, last, out)` to the doubles of each row.
template <class Row>
[[nodiscard]] Reals reference_by_row(const Shape& shape, const std::vector<double>& x, Row row) {
  std::vector<double> result(x.size());
  const auto depth = static_cast<size_t>(shape.back());
  for (size_t start = 0; start < x.size(); start += depth) {
    row(std::span(x).subspan(start, depth), std::span(result).subspan(start, depth));
  }
  return {result};
}

}  // namespace mote::op
