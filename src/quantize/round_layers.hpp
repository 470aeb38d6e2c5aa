// SPDX-License-Identifier: Apache-2.0
// Rounds the weights of a whole model by its samples, layer after layer.
#pragma once

#include "quantize/layer.hpp"
#include "quantize/samples.hpp"

namespace mote {

// By node: the constants of layers whose weights are rounded by what they read over the samples, where all earlier
// layers and activations are rounded already. Empty for the others: those that the options leave to the nearest,
// transposed convolutions, and sums over very many inputs; of the latter two `notes` gets a sentence.
[[nodiscard]] std::vector<std::optional<LayerConstants>> round_layers(const Graph& graph, const Scheme& scheme,
                                                                      const Observed& observed,
                                                                      const QuantizeOptions& options,
                                                                      const Samples& samples,
                                                                      std::vector<std::string>& notes);

}  // namespace mote
