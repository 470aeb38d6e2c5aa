// SPDX-License-Identifier: Apache-2.0
// The passes: each takes a graph and gives one that computes the same. compile/compile.cpp holds their order.
#pragma once

#include "ir/graph.hpp"

namespace mote {

// Drops nodes whose outputs nobody reads, and the contents of tensors that are then unused; graph inputs stay.
[[nodiscard]] Graph remove_dead(Graph graph);

// Runs nodes that read constants only and puts their results in their place.
// Throws Error that names the node when it cannot be lowered.
[[nodiscard]] Graph fold_constants(Graph graph);

// Joins a node with the only consumer of its output where its operator knows how (Operator::absorb).
[[nodiscard]] Graph fuse(Graph graph);

}  // namespace mote
