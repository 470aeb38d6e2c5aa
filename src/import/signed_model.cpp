// SPDX-License-Identifier: Apache-2.0
#include "import/signed_model.hpp"

#include <algorithm>

#include "ops/quantize.hpp"

namespace mote {

namespace {

bool is_unsigned(const Tensor& tensor) { return tensor.type.dtype == DType::u8 && !tensor.type.quant.empty(); }

bool sums_unsigned(const tflite::FileOperator& layer) {
  constexpr std::string_view names[] = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"};
  if (std::find(std::begin(names), std::end(names), layer.view.name) == std::end(names)) return false;
  return std::any_of(layer.view.inputs.begin(), layer.view.inputs.end(),
                     [](const Tensor* tensor) { return tensor != nullptr && is_unsigned(*tensor); });
}

// The type with the other sign; real values stay.
TensorType other_sign(TensorType type) {
  const bool to_signed = type.dtype == DType::u8;
  type.dtype = to_signed ? DType::i8 : DType::u8;
  for (int32_t& zero : type.quant.zero) zero += to_signed ? -128 : 128;
  return type;
}

// The node that turns `from` into `to`.
Node conversion(TensorId from, TensorId to, const std::string& name) {
  return {make_quantize(), {from}, {to}, fmt::format("border of the model ({})", name)};
}

}  // namespace

UnsignedBorder make_signed(tflite::Model& model) {
  if (!std::any_of(model.operators.begin(), model.operators.end(), sums_unsigned)) return {};
  const auto unsigned_of = [&](const std::vector<size_t>& indices) {
    std::vector<bool> result;
    for (const size_t index : indices) result.push_back(is_unsigned(model.tensors[index].tensor));
    return result;
  };
  UnsignedBorder border{unsigned_of(model.inputs), unsigned_of(model.outputs)};
  for (tflite::FileTensor& file : model.tensors) {
    if (!is_unsigned(file.tensor)) continue;
    file.tensor.type = other_sign(file.tensor.type);
    for (std::byte& value : file.tensor.data) value ^= std::byte{0x80};
  }
  return border;
}

Graph with_unsigned_border(Graph graph, const UnsignedBorder& border) {
  const auto add_unsigned = [&](TensorId id) {
    const Tensor& inner = graph.tensors[id];
    graph.tensors.push_back({inner.name, other_sign(inner.type), {}});
    return graph.tensors.size() - 1;
  };
  std::vector<Node> first;
  for (size_t i = 0; i < border.inputs.size(); ++i) {
    if (!border.inputs[i]) continue;
    const TensorId outer = add_unsigned(graph.inputs[i]);
    first.push_back(conversion(outer, graph.inputs[i], graph.tensors[outer].name));
    graph.inputs[i] = outer;
  }
  graph.nodes.insert(graph.nodes.begin(), first.begin(), first.end());
  for (size_t i = 0; i < border.outputs.size(); ++i) {
    if (!border.outputs[i]) continue;
    const TensorId outer = add_unsigned(graph.outputs[i]);
    graph.nodes.push_back(conversion(graph.outputs[i], outer, graph.tensors[outer].name));
    graph.outputs[i] = outer;
  }
  verify(graph);
  return graph;
}

}  // namespace mote
