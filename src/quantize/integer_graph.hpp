// SPDX-License-Identifier: Apache-2.0
// The integer graph of a float graph whose scheme and quantisations are chosen.
#pragma once

#include <vector>

#include "ir/graph.hpp"
#include "quantize/options.hpp"
#include "quantize/scheme.hpp"

namespace mote {

constexpr size_t no_node = static_cast<size_t>(-1);

struct IntegerGraph {
  Graph graph;
  std::vector<size_t> source;     // by node: the float graph's; no_node: a conversion between reals and integers
  std::vector<TensorId> integer;  // by tensor of the float graph: its integer form, or no_tensor
};

// Does the pattern fit the layer's name (Node::origin), that of its weights or of its output?
[[nodiscard]] bool named(std::string_view pattern, const Graph& graph, const Node& node,
                         const WeightedInputs& sum);

// What the samples told.
struct Observed {
  std::vector<Quantization> quants;              // by group of the scheme
  std::vector<std::vector<double>> input_means;  // by node; empty: biases are not corrected
};

// Throws Error that names the node which refuses its quantisation.
[[nodiscard]] IntegerGraph integer_graph(const Graph& graph, const Scheme& scheme, const Observed& observed,
                                         const QuantizeOptions& options);

}  // namespace mote
