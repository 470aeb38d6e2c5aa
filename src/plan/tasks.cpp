// SPDX-License-Identifier: Apache-2.0
#include "plan/tasks.hpp"

#include <algorithm>

#include "plan/overlap.hpp"

namespace mote {

Call lower_node(const Node& node, const Operator& op, const Core& core, Inputs in, const Types& out) {
  try {
    Call call = op.lower_for(core, in, out);
    require(!call.empty(), "internal: {} is no view but has no kernel", op.name());
    return call;
  } catch (const Error& error) {
    fail("{}: {}", node.origin, error.what());
  }
}

LoweredNode lowered(const Graph& graph, const Node& node, const Core& core) {
  const std::vector<const Tensor*> inputs = inputs_of(graph, node);
  const Types outputs = output_types(graph, node);
  LoweredNode result{lower_node(node, *node.op, core, inputs, outputs), {}};
  // Order and needs() speak of output 0 only: when other outputs are written is unknown.
  if (node.out.size() != 1 || result.call.order.dims == 0) return result;
  result.distances.resize(node.in.size());
  for (size_t i = 0; i < node.in.size(); ++i) {
    if (node.in[i] == no_tensor || graph.tensors[node.in[i]].constant()) continue;
    result.distances[i] = overlap_distance(*node.op, i, inputs, outputs, result.call.order);
  }
  return result;
}

namespace {

// A value that the node reads through several inputs has the least of their distances.
std::vector<Permission> find_permissions(const Graph& graph, const Values& values, const Task& task,
                                         const std::vector<std::optional<int64_t>>& distances) {
  if (distances.empty()) return {};
  const Node& node = graph.nodes[task.node];
  const int64_t out_bytes = byte_size(graph.tensors[node.out[0]].type);
  std::vector<Permission> permissions;
  for (size_t read = 0; read < task.reads.size(); ++read) {
    std::optional<int64_t> least = values.values[task.reads[read]].bytes;
    for (size_t i = 0; i < node.in.size() && least; ++i) {
      if (node.in[i] == no_tensor || values.of_tensor[node.in[i]] != task.reads[read]) continue;
      least = distances[i] ? std::optional(std::min(*least, *distances[i])) : std::nullopt;
    }
    if (least && *least > -out_bytes) permissions.push_back({read, *least});
  }
  return permissions;
}

}  // namespace

std::vector<Task> find_tasks(const Graph& graph, const Values& values, const Core& core) {
  return find_tasks(graph, values, [&](const Node& node) { return lowered(graph, node, core); });
}

std::vector<Task> find_tasks(const Graph& graph, const Values& values, const LowerNode& lower) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op->alias() == Alias::view) continue;
    LoweredNode known = lower(node);
    Task task;
    task.node = i;
    task.call = std::move(known.call);
    task.reads = values_read(values, node);
    for (const TensorId id : node.out) task.writes.push_back(values.of_tensor[id]);
    task.permissions = find_permissions(graph, values, task, known.distances);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace mote
