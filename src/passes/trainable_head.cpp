// SPDX-License-Identifier: Apache-2.0
#include "passes/trainable_head.hpp"

#include <algorithm>

#include "ir/classifier.hpp"
#include "passes/passes.hpp"

namespace mote {

namespace {

constexpr std::string_view option = "--trainable-head";

ClassifierRole role_of(const Node& node) {
  const auto* const part = dynamic_cast<const ClassifierPart*>(node.op.get());
  return part == nullptr ? ClassifierRole::other : part->classifier_role();
}

const Node* writer_of(const Graph& graph, TensorId id) {
  const auto writes = [&](const Node& node) {
    return std::find(node.out.begin(), node.out.end(), id) != node.out.end();
  };
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(), writes);
  return found == graph.nodes.end() ? nullptr : &*found;
}

// The dense layer, or the convolution that is one, behind which nothing but a softmax and changes of type or shape
// follow.
const Node& last_dense(const Graph& graph) {
  require(graph.outputs.size() == 1, "{}: the model has {} outputs; export it with the class scores alone", option,
          graph.outputs.size());
  bool probabilities = false;
  for (TensorId id = graph.outputs[0];;) {
    const Node* const node = writer_of(graph, id);
    require(node != nullptr, "{}: no layer stands in front of the model's output; compile without it", option);
    const ClassifierRole role = role_of(*node);
    if (role == ClassifierRole::dense) return *node;
    // A softmax of all classes, not of groups of them.
    const Shape& shape = graph.tensors[node->in.empty() ? id : node->in[0]].type.shape;
    const bool softmax =
        role == ClassifierRole::probabilities && !probabilities && elements(shape) == shape.back();
    require(softmax || role == ClassifierRole::conversion || node->op->alias() == Alias::view,
            "{}: the model ends with {}, which is no dense layer (FULLY_CONNECTED, or CONV_2D on a map of 1x1, "
            "without "
            "activation and padding, then at most one SOFTMAX with beta 1); export it with such a layer last, or "
            "cut it in "
            "front of {} and train that elsewhere",
            option, node->origin, node->origin);
    probabilities = probabilities || softmax;
    id = node->in[0];
  }
}

// Real biases from integers in the scale of the products.
std::vector<float> real_bias(const Tensor* bias, float feature_scale, const std::vector<float>& scales) {
  std::vector<float> real(scales.size(), 0.0F);
  if (bias == nullptr) return real;
  const auto scaled = [&](const auto& values) {
    for (size_t i = 0; i < real.size(); ++i)
      real[i] = static_cast<float>(static_cast<double>(values.at(i)) * static_cast<double>(feature_scale) *
                                   static_cast<double>(scales[i]));
  };
  if (bias->type.dtype == DType::f32) return to_values<float>(bias->data);
  if (bias->type.dtype == DType::i32) scaled(to_values<int32_t>(bias->data));
  if (bias->type.dtype == DType::i64) scaled(to_values<int64_t>(bias->data));
  return real;
}

// The weights of the file, to start from.
void read_weights(TrainableHead& head, const Graph& graph, const Node& dense) {
  const Tensor& weights = graph.tensors[dense.in[1]];
  const bool integers = weights.type.dtype == DType::i8;
  require(weights.constant() && (integers || weights.type.dtype == DType::f32),
          "{}: {} has weights of type {}{}; start from a new head with --classes {}", option, head.layer,
          name(weights.type.dtype), weights.constant() ? "" : " that are computed at run time", head.outputs);
  const auto outputs = static_cast<size_t>(head.outputs);
  const Quantization& quant = weights.type.quant;
  head.scales.assign(outputs, 1.0F);
  if (integers) {
    const auto is_first = [&](int32_t zero) { return zero == quant.zero[0]; };
    require((quant.scale.size() == 1 || quant.scale.size() == outputs) && !quant.zero.empty() &&
                std::all_of(quant.zero.begin(), quant.zero.end(), is_first),
            "{}: {} has weights with {} scales and several zero points; start from a new head with --classes {}",
            option, head.layer, quant.scale.size(), head.outputs);
    head.zero = quant.zero[0];
    for (size_t o = 0; o < outputs; ++o) head.scales[o] = quant.scale[quant.scale.size() == 1 ? 0 : o];
  }
  head.weights = weights;
  const bool has_bias = dense.in.size() > 2 && dense.in[2] != no_tensor;
  const float scale = head.features.dtype == DType::f32 ? 1.0F : tensor_scale(head.features, "feature");
  head.bias = real_bias(has_bias ? &graph.tensors[dense.in[2]] : nullptr, scale, head.scales);
}

// FNV-1a of 64 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
uint64_t checksum(const Graph& graph) {
  uint64_t hash = 0xCBF29CE484222325U;
  const auto add = [&](ByteSpan bytes) {
    for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001B3U;
  };
  const std::string text = dump(graph);
  add(std::as_bytes(std::span(text)));
  for (const Tensor& tensor : graph.tensors) add(tensor.data);
  return hash;
}

}  // namespace

SplitModel split_head(Graph graph, std::optional<int64_t> classes) {
  SplitModel split;
  TrainableHead& head = split.head;
  const Node dense = last_dense(graph);
  head.layer = dense.origin;
  head.features = graph.tensors[dense.in[0]].type;
  head.inputs = elements(head.features.shape);
  const Shape& shape = graph.tensors[dense.in[1]].type.shape;
  const int64_t rows = elements(graph.tensors[dense.out[0]].type.shape) / std::max<int64_t>(shape.at(0), 1);
  require(rows == 1, "{}: {} computes {} rows; export the model with batch 1, a last convolution on a 1x1 map",
          option, head.layer, rows);
  const int64_t row = elements(shape) / std::max<int64_t>(shape.at(0), 1);
  require(head.inputs == row, "{}: {} sums {} of {} features for each class; export it without groups", option,
          head.layer, row, head.inputs);
  require(
      head.features.dtype == DType::i8 || head.features.dtype == DType::i16 || head.features.dtype == DType::f32,
      "{}: {} reads features of type {}; int8, int16 or float32 are supported", option, head.layer,
      name(head.features.dtype));
  require(writer_of(graph, dense.in[0]) != nullptr,
          "{}: {} reads the model's input itself: there is no backbone in front of it; compile without it", option,
          head.layer);
  head.outputs = classes.value_or(shape.at(0));
  require(head.outputs >= 2, "{}: a head of {} classes has nothing to choose; it takes 2 or more", option,
          head.outputs);
  if (!classes) read_weights(head, graph, dense);
  graph.outputs = {dense.in[0]};
  split.backbone = remove_dead(std::move(graph));
  verify(split.backbone);
  head.model = checksum(split.backbone);
  return split;
}

HeadSizes head_sizes(const TrainableHead& head) {
  HeadSizes sizes;
  sizes.parameters = sizes.momentum = 4 * head.outputs * (head.inputs + 1);
  sizes.scratch = 4 * (head.inputs + head.outputs);
  sizes.record = 24 + sizes.parameters + 4;
  sizes.flash = static_cast<int64_t>(head.weights.data.size() + 4 * (head.scales.size() + head.bias.size()));
  return sizes;
}

}  // namespace mote
