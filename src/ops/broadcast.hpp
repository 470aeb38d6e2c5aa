// SPDX-License-Identifier: Apache-2.0
// Broadcasting of two shapes on the host: the common shape, regions, and the table that kernels walk.
#pragma once

#include "ir/call.hpp"
#include "ir/operator.hpp"

namespace mote::op {

// The shape of an element-wise result. Throws Error when the shapes do not go together.
[[nodiscard]] Shape broadcast_shape(const Shape& a, const Shape& b);

// The region of an input of shape `shape` that an output region reads.
[[nodiscard]] Region broadcast_needs(const Region& region, const Shape& shape);

// The index into an input of shape `shape` for flat index `index` of the output.
[[nodiscard]] size_t broadcast_index(int64_t index, const Shape& out, const Shape& shape);

// For nn::for_each_broadcast, with neighbouring dimensions of one kind merged.
struct BroadcastTable {
  int32_t dimensions = 0;
  Constant table;
};
[[nodiscard]] BroadcastTable broadcast_table(const Shape& out, const std::vector<Shape>& inputs);

}  // namespace mote::op
