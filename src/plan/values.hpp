// SPDX-License-Identifier: Apache-2.0
// Which tensors of a graph share their bytes: a view, the tensor it shows and the views of both are one value.
#pragma once

#include "ir/graph.hpp"

namespace mote {

struct Value {
  std::string name;  // of the tensor that is computed
  int64_t bytes = 0;
  int64_t align = 1;
};
constexpr size_t no_value = static_cast<size_t>(-1);

struct Values {
  std::vector<Value> values;
  std::vector<size_t> of_tensor;  // no_value: a constant, or never computed
};

// Throws Error when a view shows a constant or a graph output is one: passes remove the first, nobody computes the
// second.
[[nodiscard]] Values find_values(const Graph& graph, int64_t least_align);

// The values that the node reads, without repetition, in the order of its inputs.
[[nodiscard]] std::vector<size_t> values_read(const Values& values, const Node& node);

}  // namespace mote
