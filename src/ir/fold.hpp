// SPDX-License-Identifier: Apache-2.0
// Constant folding with the device's own kernels: the result is what the device would have computed.
#pragma once

#include "ir/graph.hpp"

namespace mote {

// Nothing the node reads depends on the model's inputs or on state.
[[nodiscard]] bool reads_only_constants(const Graph& graph, const Node& node);

// The contents of the node's outputs. Throws Error when it cannot be lowered.
[[nodiscard]] std::vector<Bytes> evaluate(const Graph& graph, const Node& node);

}  // namespace mote
