// SPDX-License-Identifier: Apache-2.0
// The passes: each takes a graph and gives one that computes the same. compile/compile.cpp holds their order.
#pragma once

#include "ir/graph.hpp"

namespace mote {

// Drops nodes whose outputs nobody reads, and the contents of tensors that are then unused; graph inputs stay.
[[nodiscard]] Graph remove_dead(Graph graph);

// Joins a node with the only consumer of its output where its operator knows how (Operator::absorb).
[[nodiscard]] Graph fuse(Graph graph);

// Puts a copy of the input's rows in front of its readers: what PlanOptions::stream_input asks for. Throws Error
// when the model has not one input with rows.
[[nodiscard]] Graph stream_input(Graph graph);

}  // namespace mote
