// SPDX-License-Identifier: Apache-2.0
// The nodes of a graph that run code, lowered, with the values that they read and write.
#pragma once

#include "plan/values.hpp"

namespace mote {

// Output 0 of a task may share bytes with the value that is its read `read`, should that die here.
struct Permission {
  size_t read = 0;
  int64_t distance = 0;
};

// A node that runs code.
struct Task {
  size_t node = 0;
  Call call;
  std::vector<size_t> reads, writes;  // values
  std::vector<Permission> permissions;
};

// Throws Error that names a node which cannot be lowered.
[[nodiscard]] Call lower_node(const Node& node, const Operator& op, const Core& core, Inputs in, const Types& out);

// In the order of the graph's nodes.
[[nodiscard]] std::vector<Task> find_tasks(const Graph& graph, const Values& values, const Core& core);

}  // namespace mote
