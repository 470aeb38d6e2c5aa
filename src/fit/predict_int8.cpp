// SPDX-License-Identifier: Apache-2.0
#include "fit/predict_int8.hpp"

#include <algorithm>
#include <cmath>

#include "plan/make_plan.hpp"

namespace mote {

namespace {

constexpr float activation_scale = 1.0F / 16;

TensorType quantised(const TensorType& type, float scale, int32_t zero, DType dtype = DType::i8) {
  return {dtype, type.shape, {{scale}, {zero}, -1}};
}

bool is_float(const TensorType& type) { return type.dtype == DType::f32; }

// Symmetric, one scale: the kernels store a bias, a multiplier and a shift for every channel anyway.
Tensor quantise_constant(const Tensor& tensor) {
  const std::vector<float> values = to_values<float>(tensor.data);
  float most = 1e-6F;
  for (const float value : values) most = std::max(most, std::abs(value));
  std::vector<int8_t> integers;
  for (const float value : values) integers.push_back(static_cast<int8_t>(std::lround(value / most * 127.0F)));
  Tensor result{tensor};
  result.type = quantised(tensor.type, most / 127, 0);
  result.data = to_bytes(integers);
  return result;
}

Tensor quantise_bias(const Tensor& tensor, float scale) {
  std::vector<int32_t> integers;
  for (const float value : to_values<float>(tensor.data)) {
    const float limit = 1 << 24;
    integers.push_back(static_cast<int32_t>(std::lround(std::clamp(value / scale, -limit, limit))));
  }
  Tensor result{tensor};
  result.type = quantised(tensor.type, scale, 0, DType::i32);
  result.data = to_bytes(integers);
  return result;
}

// Output quantisations that some operator insists on: its input's own, that of probabilities, of logarithms of
// them, of values between -1 and 1; and a common one.
std::vector<Quantization> choices(const Quantization& input) {
  std::vector<Quantization> all;
  if (!input.empty() && input.scale.size() == 1) all.push_back(input);
  for (const auto& [scale, zero] : {std::pair{activation_scale, 0}, std::pair{1.0F / 256, -128},
                                    std::pair{16.0F / 256, 127}, std::pair{1.0F / 128, 0}}) {
    all.push_back({{scale}, {zero}, -1});
  }
  return all;
}

class Predictor {
 public:
  explicit Predictor(const Graph& graph) : graph_(graph) {}

  Graph predict() {
    for (const TensorId id : graph_.inputs) quantise_activation(graph_.tensors[id]);
    for (Tensor& tensor : graph_.tensors) {
      if (tensor.state) quantise_state(tensor);
    }
    for (Node& node : graph_.nodes) {
      try {
        convert(node);
      } catch (const Error& problem) {
        fail("{}: {}", node.origin, problem.what());
      }
    }
    verify(graph_);
    return std::move(graph_);
  }

 private:
  static void quantise_activation(Tensor& tensor) {
    if (is_float(tensor.type)) tensor.type = quantised(tensor.type, activation_scale, 0);
  }

  static void quantise_state(Tensor& tensor) {
    if (!is_float(tensor.type)) return;
    quantise_activation(tensor);
    tensor.data.assign(static_cast<size_t>(byte_size(tensor.type)), std::byte{0});
  }

  // A constant may serve several layers; each gets its own copy in the form it needs.
  void replace(TensorId& id, Tensor tensor) {
    id = graph_.tensors.size();
    graph_.tensors.push_back(std::move(tensor));
  }

  void convert_constants(Node& node) {
    const auto is_constant = [&](TensorId id) { return id != no_tensor && graph_.tensors[id].constant(); };
    float weight_scale = 0;
    for (TensorId& id : node.in) {
      if (!is_constant(id) || !is_float(graph_.tensors[id].type)) continue;
      const Tensor tensor = graph_.tensors[id];
      const TensorId first = node.in[0];
      const bool bias = weight_scale > 0 && tensor.type.shape.size() == 1 && !is_constant(first);
      if (bias) {
        replace(id, quantise_bias(tensor, weight_scale * graph_.tensors[first].type.quant.scale.at(0)));
      } else {
        replace(id, quantise_constant(tensor));
        if (tensor.type.shape.size() >= 2) weight_scale = graph_.tensors[id].type.quant.scale[0];
      }
    }
  }

  void convert(Node& node) {
    convert_constants(node);
    const bool any_float = std::any_of(node.out.begin(), node.out.end(),
                                       [&](TensorId id) { return is_float(graph_.tensors[id].type); });
    if (!any_float) return;
    const Quantization of_input =
        node.in.empty() || node.in[0] == no_tensor ? Quantization{} : graph_.tensors[node.in[0]].type.quant;
    std::string refused;
    for (const Quantization& quant : choices(of_input)) {
      if (accepts(node, quant, refused)) return;
    }
    fail("has no int8 form: {}", refused);
  }

  // Does the operator take these types, and has it a kernel for them? `refused` keeps the first reason why not.
  bool accepts(const Node& node, const Quantization& quant, std::string& refused) {
    std::vector<TensorType> before;
    for (const TensorId id : node.out) {
      before.push_back(graph_.tensors[id].type);
      if (is_float(before.back())) graph_.tensors[id].type = {DType::i8, before.back().shape, quant};
    }
    try {
      const auto inputs = inputs_of(graph_, node);
      const Types types = node.op->infer(inputs, output_types(graph_, node));
      if (node.op->alias() != Alias::view) static_cast<void>(node.op->lower(inputs, types));
      for (size_t i = 0; i < node.out.size(); ++i) graph_.tensors[node.out[i]].type = types[i];
      return true;
    } catch (const Error& problem) {
      if (refused.empty()) refused = problem.what();
      for (size_t i = 0; i < node.out.size(); ++i) graph_.tensors[node.out[i]].type = before[i];
      return false;
    }
  }

  Graph graph_;
};

}  // namespace

bool is_float(const Graph& graph) {
  const auto has_float = [&](const std::vector<TensorId>& ids) {
    return std::any_of(ids.begin(), ids.end(), [&](TensorId id) {
      return id != no_tensor && !graph.tensors[id].constant() && is_float(graph.tensors[id].type);
    });
  };
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& node) { return has_float(node.in) && has_float(node.out); });
}

Int8Prediction predict_int8(const Graph& graph) {
  if (!is_float(graph)) return {std::nullopt, "nothing in it is float"};
  try {
    Compiled model;
    model.graph = optimise(Predictor(graph).predict());
    model.plan = make_plan(model.graph);
    return {std::move(model), ""};
  } catch (const Error& problem) {
    return {std::nullopt, problem.what()};
  }
}

}  // namespace mote
