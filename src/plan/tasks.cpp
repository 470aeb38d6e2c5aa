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

namespace {

// A value that the node reads through several inputs has the least of their distances.
std::vector<Permission> find_permissions(const Graph& graph, const Values& values, const Task& task) {
  const Node& node = graph.nodes[task.node];
  // Order and needs() speak of output 0 only: when other outputs are written is unknown.
  if (node.out.size() != 1 || task.call.order.dims == 0) return {};
  const std::vector<const Tensor*> inputs = inputs_of(graph, node);
  const Types outputs = output_types(graph, node);
  std::vector<Permission> permissions;
  for (size_t read = 0; read < task.reads.size(); ++read) {
    std::optional<int64_t> least = values.values[task.reads[read]].bytes;
    for (size_t i = 0; i < node.in.size() && least; ++i) {
      if (node.in[i] == no_tensor || values.of_tensor[node.in[i]] != task.reads[read]) continue;
      const std::optional<int64_t> distance = overlap_distance(*node.op, i, inputs, outputs, task.call.order);
      least = distance ? std::optional(std::min(*least, *distance)) : std::nullopt;
    }
    if (least && *least > -byte_size(outputs[0])) permissions.push_back({read, *least});
  }
  return permissions;
}

}  // namespace

std::vector<Task> find_tasks(const Graph& graph, const Values& values, const Core& core) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op->alias() == Alias::view) continue;
    Task task;
    task.node = i;
    task.call = lower_node(node, *node.op, core, inputs_of(graph, node), output_types(graph, node));
    task.reads = values_read(values, node);
    for (const TensorId id : node.out) task.writes.push_back(values.of_tensor[id]);
    task.permissions = find_permissions(graph, values, task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace mote
