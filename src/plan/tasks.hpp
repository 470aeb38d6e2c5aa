// SPDX-License-Identifier: Apache-2.0
// The nodes of a graph that run code, lowered, with the values that they read and write.
#pragma once

#include <functional>

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

// What a node makes of itself, whichever values it reads and writes.
struct LoweredNode {
  Call call;
  std::vector<std::optional<int64_t>> distances;  // overlap_distance() of each input in the arena
};

[[nodiscard]] LoweredNode lowered(const Graph& graph, const Node& node, const Core& core);

// In the order of the graph's nodes. The second form asks for nodes that were lowered before.
[[nodiscard]] std::vector<Task> find_tasks(const Graph& graph, const Values& values, const Core& core);
using LowerNode = std::function<LoweredNode(const Node&)>;
[[nodiscard]] std::vector<Task> find_tasks(const Graph& graph, const Values& values, const LowerNode& lower);

}  // namespace mote
