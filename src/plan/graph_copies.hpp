// SPDX-License-Identifier: Apache-2.0
// A graph some of whose nodes are there twice, and how it comes by them.
#pragma once

#include <map>
#include <optional>

#include "plan/values.hpp"

namespace mote {

// `group`: one a node; 0 for those that the model has, others were copied together. `original`: of a copied
// tensor, the tensor that it copies, perhaps a copy itself.
struct GraphCopies {
  Graph graph;
  std::vector<size_t> group;
  std::map<TensorId, TensorId> original;
  size_t groups = 0;
};

// The graph with its nodes in this order of those that run code.
[[nodiscard]] GraphCopies in_order(Graph graph, const std::vector<size_t>& nodes);

// Nodes that make the value: the one that computes it, and views.
[[nodiscard]] std::vector<size_t> makers_of(const Graph& graph, const Values& values, size_t value);

// Copies of `nodes` in front of node `reader`, which is behind them; from there on all read what the copies make.
[[nodiscard]] GraphCopies with_copies(const GraphCopies& graph, const std::vector<size_t>& nodes, size_t reader);

// Two nodes in place of one (FoldsRows).
[[nodiscard]] std::optional<GraphCopies> with_rows_folded(const GraphCopies& graph, size_t node);

// Without the copies of the group.
[[nodiscard]] GraphCopies without_group(const GraphCopies& graph, size_t group);

}  // namespace mote
