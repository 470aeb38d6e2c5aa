// SPDX-License-Identifier: Apache-2.0
// Fusion: the rule of the single consumer lives here, the knowledge what joins with what in the operators.
#include <algorithm>

#include "passes/passes.hpp"

namespace mote {

namespace {

constexpr size_t nobody = static_cast<size_t>(-1);

// The node that reads `id` exactly once, as its input 0, when nothing else reads it; otherwise `nobody`.
size_t single_consumer(const Graph& graph, TensorId id) {
  if (std::find(graph.outputs.begin(), graph.outputs.end(), id) != graph.outputs.end()) return nobody;
  size_t consumer = nobody, uses = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto count = std::count(graph.nodes[i].in.begin(), graph.nodes[i].in.end(), id);
    uses += static_cast<size_t>(count);
    if (count == 1 && graph.nodes[i].in[0] == id) consumer = i;
  }
  return uses == 1 ? consumer : nobody;
}

// Joins node `first` with its consumer, if their operators allow it: the consumer does both from then on.
bool join(Graph& graph, size_t first) {
  const Node& node = graph.nodes[first];
  if (node.out.size() != 1 || node.in.empty()) return false;
  const size_t second = single_consumer(graph, node.out[0]);
  if (second == nobody) return false;
  Node& next = graph.nodes[second];
  const std::vector<const Tensor*> inputs = inputs_of(graph, node), next_inputs = inputs_of(graph, next);
  OperatorPtr joined = node.op->absorb(*next.op, inputs, next_inputs, graph.tensors[node.out[0]].type);
  if (joined == nullptr) return false;
  if (joined->name() == node.op->name()) next.origin = node.origin;  // it took the consumer in, not the reverse
  next.op = std::move(joined);
  next.in.erase(next.in.begin());
  next.in.insert(next.in.begin(), node.in.begin(), node.in.end());
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(first));
  return true;
}

}  // namespace

Graph fuse(Graph graph) {
  for (size_t i = 0; i < graph.nodes.size();) {
    // What was joined may join again: with the node before it, too.
    if (join(graph, i)) {
      i = 0;
    } else {
      ++i;
    }
  }
  return graph;
}

}  // namespace mote
