// SPDX-License-Identifier: Apache-2.0
// Layers that are computed a second time, so that a large tensor need not wait for its last reader.
#pragma once

#include "plan/make_plan.hpp"

namespace mote {

// A graph that computes the same, with its plan.
struct Recomputed {
  Graph graph;
  Plan plan;
};

// For a graph whose plan takes more than options.recompute_above_bytes: copies of layers in front of late readers
// of tensors that make the peak, as few as bring the arena below; global means take rows as they come where that
// helps. Where nothing brings it below, what comes nearest. nullopt: nothing makes the arena smaller than that of
// `plan`.
[[nodiscard]] std::optional<Recomputed> recompute(const Graph& graph, const Plan& plan,
                                                  const PlanOptions& options);

// A node that computes again what an earlier one has computed.
struct Repeat {
  size_t node = 0, first = 0;  // of graph.nodes
};

[[nodiscard]] std::vector<Repeat> repeats_of(const Graph& graph);

}  // namespace mote
