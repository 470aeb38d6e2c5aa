// SPDX-License-Identifier: Apache-2.0
// The integer constants of one layer of a float graph whose scheme and quantisations are chosen.
#pragma once

#include <vector>

#include "quantize/constants.hpp"
#include "quantize/scheme.hpp"

namespace mote {

// What the samples told.
struct Observed {
  std::vector<Quantization> quants;                   // by group of the scheme
  std::vector<std::vector<double>> input_means;       // by node; empty: biases are not corrected
  std::vector<std::optional<LayerConstants>> layers;  // by node: where they were rounded by samples; may be empty
};

// Does the pattern fit the layer's name (Node::origin), that of its weights or of its output?
[[nodiscard]] bool named(std::string_view pattern, const Graph& graph, const Node& node,
                         const WeightedInputs& sum);

[[nodiscard]] WeightKind weight_kind(const Graph& graph, const Node& node, const WeightedInputs& sum,
                                     const QuantizeOptions& options);

// Of a node whose form has a sum. `moments`: of what it reads; nullptr: weights become the nearest integers.
[[nodiscard]] LayerConstants layer_constants(const Graph& graph, const Scheme& scheme, const Observed& observed,
                                             const QuantizeOptions& options, size_t node,
                                             const LayerMoments* moments = nullptr);

}  // namespace mote
