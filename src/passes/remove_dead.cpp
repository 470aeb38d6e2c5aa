// SPDX-License-Identifier: Apache-2.0
// From the outputs backwards: what nobody reads goes, and so do the tensors of which nobody speaks any more.
#include <algorithm>

#include "passes/passes.hpp"

namespace mote {

namespace {

void drop_unread_nodes(Graph& graph) {
  std::vector<bool> read(graph.tensors.size(), false);
  for (const TensorId id : graph.outputs) read[id] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const auto is_read = [&](TensorId id) { return read[id]; };
    const auto is_state = [&](TensorId id) { return id != no_tensor && graph.tensors[id].state; };
    // What a node does to a state may be read in the next run.
    if (std::none_of(node->out.begin(), node->out.end(), is_read) &&
        std::none_of(node->in.begin(), node->in.end(), is_state))
      continue;
    for (const TensorId id : node->in) {
      if (id != no_tensor) read[id] = true;
    }
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

// Every place of the graph that names a tensor.
template <class Visit>
void for_each_use(Graph& graph, Visit visit) {
  for (TensorId& id : graph.inputs) visit(id);
  for (TensorId& id : graph.outputs) visit(id);
  for (Node& node : graph.nodes) {
    for (TensorId& id : node.in) {
      if (id != no_tensor) visit(id);
    }
    for (TensorId& id : node.out) visit(id);
  }
}

}  // namespace

Graph remove_dead(Graph graph) {
  drop_unread_nodes(graph);
  std::vector<TensorId> renamed(graph.tensors.size(), no_tensor);
  for_each_use(graph, [&](TensorId id) { renamed[id] = id; });
  std::vector<Tensor> kept;
  for (TensorId& name : renamed) {
    if (name == no_tensor) continue;
    kept.push_back(std::move(graph.tensors[name]));
    name = kept.size() - 1;
  }
  graph.tensors = std::move(kept);
  for_each_use(graph, [&](TensorId& id) { id = renamed[id]; });
  return graph;
}

}  // namespace mote
