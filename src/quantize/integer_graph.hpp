// SPDX-License-Identifier: Apache-2.0
// The integer graph of a float graph whose scheme and quantisations are chosen.
#pragma once

#include <vector>

#include "ir/graph.hpp"
#include "quantize/layer.hpp"

namespace mote {

constexpr size_t no_node = static_cast<size_t>(-1);

struct IntegerGraph {
  Graph graph;
  std::vector<size_t> source;     // by node: the float graph's; no_node: a conversion between reals and integers
  std::vector<TensorId> integer;  // by tensor of the float graph: its integer form, or no_tensor
};

// Throws Error that names the node which refuses its quantisation.
[[nodiscard]] IntegerGraph integer_graph(const Graph& graph, const Scheme& scheme, const Observed& observed,
                                         const QuantizeOptions& options);

}  // namespace mote
