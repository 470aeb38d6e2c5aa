// SPDX-License-Identifier: Apache-2.0
#include "passes/trainable_head.hpp"

#include <algorithm>

#include "ir/classifier.hpp"
#include "ir/packed_i4.hpp"
#include "passes/passes.hpp"

namespace mote {

namespace {

constexpr std::string_view option = "--trainable-head";
constexpr std::string_view one_alone = "train the last layer alone (without --trainable-layers)";

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

// The weights of the file, to start from. `input` is what the layer reads, `way_out` what to do without them.
FirstWeights read_weights(const Graph& graph, const Node& dense, const TensorType& input,
                          const std::string& way_out) {
  FirstWeights first;
  const Tensor weights = unpacked_i4(graph.tensors[dense.in[1]]);
  const bool integers = weights.type.dtype == DType::i8;
  require(weights.constant() && (integers || weights.type.dtype == DType::f32),
          "{}: {} has weights of type {}{}; {}", option, dense.origin, name(weights.type.dtype),
          weights.constant() ? "" : " that are computed at run time", way_out);
  const auto outputs = static_cast<size_t>(weights.type.shape.at(0));
  const Quantization& quant = weights.type.quant;
  first.scales.assign(outputs, 1.0F);
  if (integers) {
    const auto is_first = [&](int32_t zero) { return zero == quant.zero[0]; };
    require((quant.scale.size() == 1 || quant.scale.size() == outputs) && !quant.zero.empty() &&
                std::all_of(quant.zero.begin(), quant.zero.end(), is_first),
            "{}: {} has weights with {} scales and several zero points; {}", option, dense.origin,
            quant.scale.size(), way_out);
    first.zero = quant.zero[0];
    for (size_t o = 0; o < outputs; ++o) first.scales[o] = quant.scale[quant.scale.size() == 1 ? 0 : o];
  }
  first.weights = weights;
  const bool has_bias = dense.in.size() > 2 && dense.in[2] != no_tensor;
  const float scale = input.dtype == DType::f32 ? 1.0F : tensor_scale(input, "feature");
  first.bias = real_bias(has_bias ? &graph.tensors[dense.in[2]] : nullptr, scale, first.scales);
  return first;
}

// Throws Error unless the layer sums all of its input once for each output.
void check_one_row(const Graph& graph, const Node& dense) {
  const Shape& shape = graph.tensors[dense.in[1]].type.shape;
  const int64_t inputs = elements(graph.tensors[dense.in[0]].type.shape);
  const int64_t outputs = std::max<int64_t>(shape.at(0), 1);
  const int64_t rows = elements(graph.tensors[dense.out[0]].type.shape) / outputs;
  require(rows == 1, "{}: {} computes {} rows; export the model with batch 1, a last convolution on a 1x1 map",
          option, dense.origin, rows);
  const int64_t row = elements(shape) / outputs;
  require(inputs == row, "{}: {} sums {} of {} features for each class; export it without groups", option,
          dense.origin, row, inputs);
}

// The dense layer in front of `last`, with or without a clamp behind it.
const Node& hidden_dense(const Graph& graph, const Node& last) {
  for (TensorId id = last.in[0];;) {
    const Node* const node = writer_of(graph, id);
    require(node != nullptr, "{}: there is no layer in front of {}; {}", option, last.origin, one_alone);
    const ClassifierRole role = role_of(*node);
    if (role == ClassifierRole::dense || role == ClassifierRole::clamped_dense) return *node;
    require(role == ClassifierRole::conversion || node->op->alias() == Alias::view,
            "{}: in front of {} stands {}, which is no dense layer with a clamp such as ReLU or none; {}", option,
            last.origin, node->origin, one_alone);
    id = node->in[0];
  }
}

// A clamp may stand in the file as the range of the integers alone: none below their zero point.
HiddenLayer read_hidden(const Graph& graph, const Node& dense, TensorId values) {
  check_one_row(graph, dense);
  const TensorType& out = graph.tensors[dense.out[0]].type;
  const ClampedTo clamp = dynamic_cast<const ClassifierPart&>(*dense.op).clamped_to();
  HiddenLayer hidden{dense.origin, elements(out.shape), clamp.low, clamp.high, {}};
  for (const TensorType& type : {out, graph.tensors[values].type}) {
    if (type.dtype == DType::i8 && type.quant.zero.at(0) == -128) hidden.low = std::max(hidden.low, 0.0F);
  }
  hidden.first = read_weights(graph, dense, graph.tensors[dense.in[0]].type, std::string(one_alone));
  return hidden;
}

// FNV-1a of 64 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
uint64_t checksum(const Graph& graph, const std::optional<HiddenLayer>& hidden) {
  uint64_t hash = 0xCBF29CE484222325U;
  const auto add = [&](ByteSpan bytes) {
    for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001B3U;
  };
  const std::string text = dump(graph);
  add(std::as_bytes(std::span(text)));
  for (const Tensor& tensor : graph.tensors) add(tensor.data);
  if (!hidden) return hash;
  add(to_bytes(std::vector<int32_t>{narrow<int32_t>(hidden->outputs)}));
  add(to_bytes(std::vector<float>{hidden->low, hidden->high}));
  return hash;
}

}  // namespace

SplitModel split_head(Graph graph, std::optional<int64_t> classes, int64_t layers) {
  require(layers == 1 || layers == 2, "{}: {} layers cannot learn; 1 or 2 can", option, layers);
  SplitModel split;
  TrainableHead& head = split.head;
  const Node last = last_dense(graph);
  const Node front = layers == 2 ? hidden_dense(graph, last) : last;
  check_one_row(graph, last);
  head.layer = last.origin;
  head.features = graph.tensors[front.in[0]].type;
  head.inputs = elements(head.features.shape);
  require(
      head.features.dtype == DType::i8 || head.features.dtype == DType::i16 || head.features.dtype == DType::f32,
      "{}: {} reads features of type {}; int8, int16 or float32 are supported", option, front.origin,
      name(head.features.dtype));
  require(writer_of(graph, front.in[0]) != nullptr,
          "{}: {} reads the model's input itself: there is no backbone in front of it; {}", option, front.origin,
          layers == 2 ? one_alone : "compile without it");
  head.outputs = classes.value_or(graph.tensors[last.in[1]].type.shape.at(0));
  require(head.outputs >= 2, "{}: a head of {} classes has nothing to choose; it takes 2 or more", option,
          head.outputs);
  if (layers == 2) head.hidden = read_hidden(graph, front, last.in[0]);
  if (!classes)
    head.first = read_weights(graph, last, graph.tensors[last.in[0]].type,
                              fmt::format("start from a new head with --classes {}", head.outputs));
  graph.outputs = {front.in[0]};
  split.backbone = remove_dead(std::move(graph));
  verify(split.backbone);
  head.model = checksum(split.backbone, head.hidden);
  return split;
}

std::string layers_of(const TrainableHead& head) {
  return head.hidden ? head.hidden->layer + " and " + head.layer : head.layer;
}

SplitModel append_head(Graph backbone, int64_t classes, float scale) {
  require(classes >= 2, "a head of {} classes has nothing to choose; it takes 2 or more", classes);
  require(backbone.outputs.size() == 1, "a head reads one output, the model has {}", backbone.outputs.size());
  SplitModel split;
  TrainableHead& head = split.head;
  head.layer = "trainable_dense";
  head.features = backbone.tensors[backbone.outputs[0]].type;
  require(head.features.dtype == DType::i8 && head.features.quant.scale.size() <= 1,
          "a head is put behind int8 features of one scale; they are {} with {} scales", name(head.features.dtype),
          head.features.quant.scale.size());
  head.features.quant = {{scale}, {0}, -1};
  head.inputs = elements(head.features.shape);
  head.outputs = classes;
  split.backbone = std::move(backbone);
  verify(split.backbone);
  head.model = checksum(split.backbone, head.hidden);
  return split;
}

HeadSizes head_sizes(const TrainableHead& head) {
  HeadSizes sizes;
  const auto flash = [](const FirstWeights& first) {
    return static_cast<int64_t>(first.weights.data.size() + 4 * (first.scales.size() + first.bias.size()));
  };
  const int64_t last_inputs = head.hidden ? head.hidden->outputs : head.inputs;
  sizes.parameters = 4 * head.outputs * (last_inputs + 1);
  sizes.scratch = 4 * (head.inputs + head.outputs);
  sizes.flash = flash(head.first);
  if (head.hidden) {
    sizes.parameters += 4 * head.hidden->outputs * (head.inputs + 1);
    sizes.scratch += 2 * 4 * head.hidden->outputs;
    sizes.flash += flash(head.hidden->first);
  }
  sizes.momentum = sizes.parameters;
  sizes.record = 24 + sizes.parameters + 4;
  return sizes;
}

}  // namespace mote
