// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_qoperator.hpp"

#include <algorithm>

namespace mote::onnx {

namespace {

// Where a quantised operator has its tensors: the places of (value, scale, zero point) triples, of the output's
// (scale, zero point), and of an input that is passed on as it is.
struct Form {
  std::string_view op, domain, plain;
  std::vector<size_t> triples;
  size_t output = 0;
  size_t passed = 0;         // 0: none
  int64_t channel_axis = 0;  // of input 1, where it may be quantised per channel
};

constexpr std::string_view microsoft = "com.microsoft";

const Form* find_form(const Node& node) {
  static const std::vector<Form> forms = {
      {"QLinearConv", "", "Conv", {0, 3}, 6, 8, 0},
      {"QLinearMatMul", "", "MatMul", {0, 3}, 6, 0, -1},
      {"QGemm", microsoft, "Gemm", {0, 3}, 7, 6, 0},
      {"QLinearAdd", microsoft, "Add", {0, 3}, 6, 0, 0},
      {"QLinearMul", microsoft, "Mul", {0, 3}, 6, 0, 0},
      {"QLinearSigmoid", microsoft, "Sigmoid", {0}, 3, 0, 0},
      {"QLinearLeakyRelu", microsoft, "LeakyRelu", {0}, 3, 0, 0},
      {"QLinearSoftmax", microsoft, "Softmax", {0}, 3, 0, 0},
      {"QLinearAveragePool", microsoft, "AveragePool", {0}, 3, 0, 0},
      {"QLinearGlobalAveragePool", microsoft, "GlobalAveragePool", {0}, 3, 0, 0},
      {"QLinearReduceMean", microsoft, "ReduceMean", {0}, 3, 0, 0},
      {"QLinearConcat", microsoft, "Concat", {}, 0, 0, 0},
  };
  const auto found = std::find_if(forms.begin(), forms.end(), [&](const Form& form) {
    return form.op == node.op && form.domain == node.domain;
  });
  return found == forms.end() ? nullptr : &*found;
}

std::string input_of(const Node& node, size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : std::string();
}

Node linear(const Node& node, std::string op, std::vector<std::string> inputs, std::string output) {
  Node result;
  result.op = std::move(op);
  result.label = node.label;
  result.opset = node.opset;
  result.inputs = std::move(inputs);
  result.outputs = {std::move(output)};
  return result;
}

void expand(const Node& node, const Form& form, std::vector<Node>& result) {
  require(node.outputs.size() == 1, "{}: has {} outputs, it gives 1", node.label, node.outputs.size());
  const std::string output = node.outputs[0];
  Form places = form;
  if (form.plain == "Concat") {
    for (size_t i = 2; i < node.inputs.size(); i += 3) places.triples.push_back(i);
  }
  Node plain = node;
  plain.op = form.plain;
  plain.domain.clear();
  plain.inputs.clear();
  require(plain.integer("channels_last", 0) == 0,
          "{}: has its channels last, which is not supported; quantise the model for the CPU", node.label);
  if (form.plain == "Softmax") plain.ignore("opset");  // its meaning since opset 13 is the only one here
  for (const size_t place : places.triples) {
    const std::string name = fmt::format("{}/input{}", output, place);
    result.push_back(linear(node, "DequantizeLinear",
                            {input_of(node, place), input_of(node, place + 1), input_of(node, place + 2)}, name));
    const bool transposed = form.plain == "Gemm" && plain.integer("transB", 0) == 0;
    if (place == 3) result.back().set("axis", transposed ? int64_t{1} : form.channel_axis);
    plain.inputs.push_back(name);
  }
  if (form.passed != 0) plain.inputs.push_back(input_of(node, form.passed));
  plain.outputs = {output + "/real"};
  result.push_back(std::move(plain));
  result.push_back(linear(node, "QuantizeLinear",
                          {output + "/real", input_of(node, places.output), input_of(node, places.output + 1)},
                          output));
}

}  // namespace

std::vector<Node> expand_qoperators(std::vector<Node> nodes) {
  std::vector<Node> result;
  for (Node& node : nodes) {
    // ONNX Runtime's own copies of operators that are standard by now.
    const bool copied = node.op == "QuantizeLinear" || node.op == "DequantizeLinear" || node.op == "Gelu";
    if (copied && node.domain == microsoft) node.domain.clear();
    const Form* const form = find_form(node);
    if (form == nullptr) {
      result.push_back(std::move(node));
    } else {
      expand(node, *form, result);
    }
  }
  return result;
}

}  // namespace mote::onnx
