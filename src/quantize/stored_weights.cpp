// SPDX-License-Identifier: Apache-2.0
#include "quantize/stored_weights.hpp"

#include <algorithm>

#include "ir/packed_i4.hpp"
#include "quantize/constants.hpp"
#include "quantize/scheme.hpp"
#include "quantize/values.hpp"

namespace mote {

namespace {

bool is_stored(const Tensor& tensor) {
  const DType dtype = tensor.type.dtype;
  return tensor.constant() && !tensor.type.quant.empty() &&
         (dtype == DType::i8 || dtype == DType::u8 || dtype == DType::i4);
}

bool computes_on_reals(const Graph& graph, const Node& node) {
  return std::any_of(node.in.begin(), node.in.end(), [&](TensorId id) { return is_activation(graph, id); }) &&
         std::all_of(node.out.begin(), node.out.end(), [&](TensorId id) { return is_real(graph.tensors[id]); });
}

Tensor as_reals(const Tensor& stored) {
  const Tensor tensor = unpacked_i4(stored);
  const Quantization& quant = tensor.type.quant;
  const bool per_channel = quant.scale.size() > 1;
  const std::vector<size_t> channel =
      per_channel ? indices_along(tensor.type.shape, quant.axis) : std::vector<size_t>{};
  const std::vector<double> codes = real_values({tensor.type.dtype, tensor.type.shape, {}}, tensor.data);
  std::vector<float> reals;
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t c = per_channel ? channel[i] : 0;
    reals.push_back(quant.scale[c] * static_cast<float>(codes[i] - quant.zero[c]));
  }
  return {tensor.name, {DType::f32, tensor.type.shape, {}}, to_bytes(reals)};
}

}  // namespace

Graph with_real_weights(Graph graph, std::vector<std::string>& notes) {
  std::vector<bool> read(graph.tensors.size(), false), kept(graph.tensors.size(), false);
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.in) {
      if (id != no_tensor) (computes_on_reals(graph, node) ? read : kept)[id] = true;
    }
  }
  for (const TensorId id : graph.outputs) kept[id] = true;
  size_t count = 0;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (!read[id] || kept[id] || !is_stored(graph.tensors[id])) continue;
    graph.tensors[id] = as_reals(graph.tensors[id]);
    ++count;
  }
  if (count > 0) {
    verify(graph);
    notes.push_back(
        fmt::format("The weights of {} tensors are stored as integers beside real activations; they are "
                    "quantised from the reals that they stand for.",
                    count));
  }
  return graph;
}

}  // namespace mote
