// SPDX-License-Identifier: Apache-2.0
#include "plan/graph_copies.hpp"

#include <algorithm>
#include <set>

#include "ir/rows.hpp"

namespace mote {

GraphCopies in_order(Graph graph, const std::vector<size_t>& nodes) {
  std::vector<Node> sorted;
  std::set<TensorId> known(graph.inputs.begin(), graph.inputs.end());
  std::vector<bool> done(graph.nodes.size(), false);
  const auto take = [&](size_t node) {
    done[node] = true;
    known.insert(graph.nodes[node].out.begin(), graph.nodes[node].out.end());
    sorted.push_back(graph.nodes[node]);
  };
  const auto take_views = [&] {  // nodes are in an order in which they can run
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (!done[i] && node.op->alias() == Alias::view && known.count(node.in[0]) != 0) take(i);
    }
  };
  take_views();
  for (const size_t node : nodes) {
    take(node);
    take_views();
  }
  graph.nodes = std::move(sorted);
  const size_t count = graph.nodes.size();
  return {std::move(graph), std::vector<size_t>(count, 0), {}, 0};
}

std::vector<size_t> makers_of(const Graph& graph, const Values& values, size_t value) {
  std::vector<size_t> nodes;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (values.of_tensor[graph.nodes[i].out.at(0)] == value) nodes.push_back(i);
  }
  return nodes;
}

GraphCopies with_copies(const GraphCopies& graph, const std::vector<size_t>& nodes, size_t reader) {
  GraphCopies result = graph;
  const size_t group = ++result.groups;
  std::map<TensorId, TensorId> copy_of;
  const auto read_copies = [&](Node& node) {
    for (TensorId& id : node.in) {
      const auto found = copy_of.find(id);
      if (found != copy_of.end()) id = found->second;
    }
  };
  std::vector<Node> copies;
  for (const size_t index : nodes) {
    Node node = graph.graph.nodes[index];
    read_copies(node);
    for (TensorId& id : node.out) {
      const TensorId copy = result.graph.tensors.size();
      result.graph.tensors.push_back({graph.graph.tensors[id].name + " again", graph.graph.tensors[id].type, {}});
      copy_of[id] = copy;
      result.original[copy] = id;
      id = copy;
    }
    node.origin += " again";
    copies.push_back(std::move(node));
  }
  for (size_t i = reader; i < result.graph.nodes.size(); ++i) read_copies(result.graph.nodes[i]);
  const auto at = static_cast<ptrdiff_t>(reader);
  result.graph.nodes.insert(result.graph.nodes.begin() + at, copies.begin(), copies.end());
  result.group.insert(result.group.begin() + at, copies.size(), group);
  return result;
}

std::optional<GraphCopies> with_rows_folded(const GraphCopies& graph, size_t index) {
  const Node& node = graph.graph.nodes[index];
  const auto* const folds = dynamic_cast<const FoldsRows*>(node.op.get());
  if (folds == nullptr) return std::nullopt;
  const auto parts = folds->parts(inputs_of(graph.graph, node), output_types(graph.graph, node));
  if (!parts) return std::nullopt;
  GraphCopies result = graph;
  const TensorId sums = result.graph.tensors.size();
  result.graph.tensors.push_back({node.origin + ", sums", parts->folded, {}});
  result.graph.nodes[index] = {parts->finish, {sums}, node.out, node.origin};
  const auto at = static_cast<ptrdiff_t>(index);
  result.graph.nodes.insert(result.graph.nodes.begin() + at,
                            {parts->fold, node.in, {sums}, node.origin + ", sums of rows"});
  result.group.insert(result.group.begin() + at, graph.group[index]);
  return result;
}

GraphCopies without_group(const GraphCopies& graph, size_t group) {
  GraphCopies result{graph.graph, {}, graph.original, graph.groups};
  std::map<TensorId, TensorId> instead;
  result.graph.nodes.clear();
  for (size_t i = 0; i < graph.graph.nodes.size(); ++i) {
    Node node = graph.graph.nodes[i];
    for (TensorId& id : node.in) {
      while (instead.count(id) != 0) id = instead.at(id);
    }
    if (graph.group[i] == group) {
      for (const TensorId id : node.out) {
        const auto original = graph.original.find(id);
        if (original != graph.original.end()) instead[id] = original->second;
      }
      continue;
    }
    result.graph.nodes.push_back(std::move(node));
    result.group.push_back(graph.group[i]);
  }
  for (auto& [copy, original] : result.original) {
    while (instead.count(original) != 0) original = instead.at(original);
  }
  return result;
}

}  // namespace mote
