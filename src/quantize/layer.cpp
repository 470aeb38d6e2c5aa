// SPDX-License-Identifier: Apache-2.0
#include "quantize/layer.hpp"

namespace mote {

bool named(std::string_view pattern, const Graph& graph, const Node& node, const WeightedInputs& sum) {
  return fits(pattern, node.origin) || fits(pattern, graph.tensors[node.in[sum.weights]].name) ||
         fits(pattern, graph.tensors[node.out[0]].name);
}

WeightKind weight_kind(const Graph& graph, const Node& node, const WeightedInputs& sum,
                       const QuantizeOptions& options) {
  WeightKind kind = WeightKind::bytes;
  for (const NarrowWeights& narrow : options.narrow) {
    if (named(narrow.pattern, graph, node, sum)) kind = narrow.kind;
  }
  return kind;
}

LayerConstants layer_constants(const Graph& graph, const Scheme& scheme, const Observed& observed,
                               const QuantizeOptions& options, size_t node, const LayerMoments* moments) {
  const Node& layer = graph.nodes[node];
  const WeightedInputs& sum = *scheme.forms[node]->sum;
  const bool has_bias = sum.bias < layer.in.size() && layer.in[sum.bias] != no_tensor;
  RealLayer real{graph.tensors[layer.in[sum.weights]],
                 has_bias ? &graph.tensors[layer.in[sum.bias]] : nullptr,
                 sum,
                 observed.quants[scheme.group[layer.in[0]]].scale.at(0),
                 observed.quants[scheme.group[layer.out[0]]].scale.at(0),
                 {},
                 moments};
  if (!observed.input_means.empty()) real.input_means = observed.input_means[node];
  const WeightKind kind = weight_kind(graph, layer, sum, options);
  const bool per_tensor = sum.per_tensor && !options.per_channel_dense && kind == WeightKind::bytes;
  return quantize_layer(real, {kind, per_tensor, options.power_of_two, options.activations});
}

}  // namespace mote
