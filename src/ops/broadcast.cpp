// SPDX-License-Identifier: Apache-2.0
#include "ops/broadcast.hpp"

#include <algorithm>

namespace mote::op {

namespace {

// The extent of `shape` at dimension `d` of a shape of rank `rank`; missing outer dimensions count as 1.
int64_t aligned_extent(const Shape& shape, size_t d, size_t rank) {
  const size_t missing = rank - shape.size();
  return d < missing ? 1 : shape[d - missing];
}

}  // namespace

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()));
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t extent_a = aligned_extent(a, d, shape.size());
    const int64_t extent_b = aligned_extent(b, d, shape.size());
    require(extent_a == extent_b || extent_a == 1 || extent_b == 1, "cannot broadcast {} and {} to one shape",
            to_text(a), to_text(b));
    shape[d] = extent_a == 1 ? extent_b : extent_a;
  }
  return shape;
}

Region broadcast_needs(const Region& region, const Shape& shape) {
  Region needed = whole(shape);
  const size_t missing = static_cast<size_t>(region.rank) - shape.size();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) needed.dims[d] = region.dims[d + missing];
  }
  return needed;
}

size_t broadcast_index(int64_t index, const Shape& out, const Shape& shape) {
  int64_t place = 0, stride = 1;
  for (size_t d = out.size(); d-- > 0; index /= out[d]) {
    const int64_t extent = aligned_extent(shape, d, out.size());
    if (extent != 1) place += index % out[d] * stride;
    stride *= extent;
  }
  return static_cast<size_t>(place);
}

BroadcastTable broadcast_table(const Shape& out, const std::vector<Shape>& inputs) {
  struct Row {
    int64_t extent = 1;
    std::vector<int64_t> strides;
  };
  std::vector<Row> rows;  // innermost first
  std::vector<int64_t> stride(inputs.size(), 1);
  for (size_t d = out.size(); d-- > 0;) {
    Row row{out[d], {}};
    for (size_t i = 0; i < inputs.size(); ++i) {
      const int64_t extent = aligned_extent(inputs[i], d, out.size());
      row.strides.push_back(extent == 1 ? 0 : stride[i]);
      stride[i] *= extent;
    }
    if (out[d] == 1) continue;
    bool continues = !rows.empty();
    for (size_t i = 0; continues && i < inputs.size(); ++i) {
      continues = row.strides[i] == rows.back().strides[i] * rows.back().extent;
    }
    if (continues) {
      rows.back().extent *= row.extent;
    } else {
      rows.push_back(std::move(row));
    }
  }
  if (rows.empty()) rows.push_back({1, std::vector<int64_t>(inputs.size(), 0)});
  std::vector<int32_t> values;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    values.push_back(narrow<int32_t>(row->extent));
    for (const int64_t value : row->strides) values.push_back(narrow<int32_t>(value));
  }
  return {narrow<int32_t>(rows.size()), {"strides", DType::i32, to_bytes(values), false}};
}

}  // namespace mote::op
