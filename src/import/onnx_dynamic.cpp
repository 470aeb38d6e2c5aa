// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_dynamic.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

constexpr int64_t file_float = 1, file_uint8 = 2, file_int32 = 6;  // the file's numbers of data types

bool is(const Node& node, std::string_view op) { return node.op == op && node.domain.empty(); }

std::string input_of(const Node& node, size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : std::string();
}

// The nodes of a file and who reads and computes which value.
class Expansion {
 public:
  Expansion(std::vector<Node> nodes, const std::map<std::string, FileTensor>& initialisers,
            const std::set<std::string, std::less<>>& outputs)
      : nodes_(std::move(nodes)), gone_(nodes_.size(), false), initialisers_(initialisers), outputs_(outputs) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for (const std::string& name : nodes_[i].inputs) readers_[name].push_back(i);
      for (const std::string& name : nodes_[i].outputs) makers_.emplace(name, i);
    }
  }

  std::vector<Node> result() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (is_product(nodes_[i])) join(i);
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!gone_[i]) expand(nodes_[i]);
    }
    return std::move(result_);
  }

 private:
  static bool is_product(const Node& node) {
    return (is(node, "MatMulInteger") || is(node, "ConvInteger")) && node.outputs.size() == 1;
  }

  void join(size_t index);
  void expand(Node& node);
  void expand_product(const Node& node);
  void expand_quantisation(const Node& node);
  void expand_runtime_product(Node node);

  [[nodiscard]] std::optional<Tensor> constant(const std::string& name) const;
  [[nodiscard]] std::optional<size_t> only_reader(const std::string& name) const;
  [[nodiscard]] const Node* maker(const std::string& name, std::string_view op) const;
  [[nodiscard]] std::optional<std::string> weight_scale(const std::string& product,
                                                        const std::string& scale) const;
  [[nodiscard]] bool constant_weights(const std::string& weights, const std::string& zero) const;
  void require_exact(const Node& node) const;

  // Adds a node that computes `output`, as part of `origin`.
  Node& add(const Node& origin, std::string op, std::vector<std::string> inputs, std::string output);
  std::string number(const Node& origin, const std::string& name, float value);
  std::string cast(const Node& origin, const std::string& from, const std::string& to, int64_t type);
  std::string without_zero(const Node& origin, size_t codes, size_t zero, const Shape& zeros_shape);

  std::vector<Node> nodes_, result_;
  std::vector<bool> gone_;        // nodes that became part of another
  std::set<std::string> joined_;  // what whole sequences compute
  const std::map<std::string, FileTensor>& initialisers_;
  const std::set<std::string, std::less<>>& outputs_;
  std::map<std::string, std::vector<size_t>> readers_;
  std::map<std::string, size_t> makers_;
};

std::optional<Tensor> Expansion::constant(const std::string& name) const {
  const auto found = initialisers_.find(name);
  if (found != initialisers_.end()) {
    return found->second.problem.empty() ? std::optional(found->second.tensor) : std::nullopt;
  }
  const Node* const node = maker(name, "Constant");
  if (node == nullptr || !node->has("value")) return std::nullopt;
  std::optional<FileTensor> file = node->tensor("value");
  return file && file->problem.empty() ? std::optional(std::move(file->tensor)) : std::nullopt;
}

std::optional<size_t> Expansion::only_reader(const std::string& name) const {
  const auto found = readers_.find(name);
  if (outputs_.count(name) != 0 || found == readers_.end() || found->second.size() != 1) return std::nullopt;
  return found->second[0];
}

const Node* Expansion::maker(const std::string& name, std::string_view op) const {
  const auto found = makers_.find(name);
  return found != makers_.end() && is(nodes_[found->second], op) ? &nodes_[found->second] : nullptr;
}

// Of a product of `scale` and a constant, the constant.
std::optional<std::string> Expansion::weight_scale(const std::string& product, const std::string& scale) const {
  const Node* const node = maker(product, "Mul");
  if (node == nullptr || node->inputs.size() != 2) return std::nullopt;
  const bool first = node->inputs[0] == scale;
  if (!first && node->inputs[1] != scale) return std::nullopt;
  const std::string& other = node->inputs[first ? 1 : 0];
  const std::optional<Tensor> tensor = constant(other);
  return tensor && tensor->type.dtype == DType::f32 ? std::optional(other) : std::nullopt;
}

// Codes of 8 bits whose zero point is known.
bool Expansion::constant_weights(const std::string& weights, const std::string& zero) const {
  const std::optional<Tensor> codes = constant(weights);
  if (!codes || (codes->type.dtype != DType::i8 && codes->type.dtype != DType::u8)) return false;
  const std::optional<Tensor> zeros = zero.empty() ? codes : constant(zero);
  return zeros && zeros->type.dtype == codes->type.dtype;
}

// Makes the last Mul of the sequence the whole of it.
void Expansion::join(size_t index) {
  const Node& product = nodes_[index];
  const Node* const quantise = maker(input_of(product, 0), "DynamicQuantizeLinear");
  if (quantise == nullptr || quantise->outputs.size() != 3 || quantise->inputs.size() != 1) return;
  if (input_of(product, 0) != quantise->outputs[0] || input_of(product, 2) != quantise->outputs[2]) return;
  if (product.outputs.size() != 1 || !constant_weights(input_of(product, 1), input_of(product, 3))) return;
  const std::optional<size_t> cast = only_reader(product.outputs[0]);
  if (!cast || !is(nodes_[*cast], "Cast") || nodes_[*cast].outputs.size() != 1 ||
      nodes_[*cast].integer("to") != file_float)
    return;
  const std::optional<size_t> scaled = only_reader(nodes_[*cast].outputs[0]);
  if (!scaled || !is(nodes_[*scaled], "Mul") || nodes_[*scaled].outputs.size() != 1 ||
      nodes_[*scaled].inputs.size() != 2)
    return;
  const bool first = nodes_[*scaled].inputs[0] == nodes_[*cast].outputs[0];
  const auto scale = weight_scale(nodes_[*scaled].inputs[first ? 1 : 0], quantise->outputs[1]);
  if (!scale) return;
  Node whole = product;
  whole.inputs = {quantise->inputs[0], product.inputs[1], *scale, input_of(product, 3)};
  whole.outputs = nodes_[*scaled].outputs;
  gone_[index] = gone_[*cast] = true;
  joined_.insert(whole.outputs[0]);
  nodes_[*scaled] = std::move(whole);
}

void Expansion::expand(Node& node) {
  if (is(node, "DynamicQuantizeLinear")) return expand_quantisation(node);
  if (node.op == "DynamicQuantizeMatMul" && node.domain == "com.microsoft") return expand_runtime_product(node);
  if (is_product(node) && joined_.count(node.outputs[0]) == 0) return expand_product(node);
  result_.push_back(std::move(node));
}

Node& Expansion::add(const Node& origin, std::string op, std::vector<std::string> inputs, std::string output) {
  Node node;
  node.op = std::move(op);
  node.label = origin.label;
  node.opset = origin.opset;
  node.inputs = std::move(inputs);
  node.outputs = {std::move(output)};
  return result_.emplace_back(std::move(node));
}

std::string Expansion::number(const Node& origin, const std::string& name, float value) {
  add(origin, "Constant", {}, name).set("value_float", value);
  return name;
}

std::string Expansion::cast(const Node& origin, const std::string& from, const std::string& to, int64_t type) {
  add(origin, "Cast", {from}, to).set("to", type);
  return to;
}

// Inputs `codes` and `zero` of the node as real numbers. Many zero points get the shape `zeros_shape` first.
std::string Expansion::without_zero(const Node& node, size_t codes, size_t zero, const Shape& zeros_shape) {
  const std::string stem = fmt::format("{}/input{}", node.outputs[0], codes);
  std::string value = cast(node, node.inputs.at(codes), stem, file_float);
  if (input_of(node, zero).empty()) return value;
  const std::optional<Tensor> tensor = constant(node.inputs[zero]);
  require(tensor || maker(node.inputs[zero], "DynamicQuantizeLinear") != nullptr,
          "{}: computes its zero point ('{}') at run time, which is not supported; export it as a constant",
          node.label, node.inputs[zero]);
  std::string offset = cast(node, node.inputs[zero], stem + "/zero", file_float);
  if (tensor && elements(tensor->type.shape) > 1 && tensor->type.shape.size() == 1) {
    add(node, "Constant", {}, stem + "/shape").set("value_ints", zeros_shape);
    add(node, "Reshape", {offset, stem + "/shape"}, stem + "/zeros");
    offset = stem + "/zeros";
  }
  add(node, "Sub", {value, offset}, stem + "/centred");
  return stem + "/centred";
}

// Float holds integers up to 2^24.
void Expansion::require_exact(const Node& node) const {
  const std::optional<Tensor> weights = constant(input_of(node, 1));
  require(weights.has_value(),
          "{}: computes its weights ('{}') at run time, which is not supported; export them as "
          "constants",
          node.label, input_of(node, 1));
  const Shape& shape = weights->type.shape;
  const int64_t outputs = shape.empty() ? 1 : is(node, "ConvInteger") ? shape[0] : shape.back();
  const int64_t products = elements(shape) / std::max<int64_t>(1, outputs);
  require(products * 255 * 255 <= int64_t{1} << 24,
          "{}: adds {} products of integers by itself, more than float holds exactly; keep DynamicQuantizeLinear "
          "before it and Cast and Mul behind it, as quantize_dynamic writes them",
          node.label, products);
}

void Expansion::expand_product(const Node& node) {
  require(node.inputs.size() >= 2, "{}: has {} inputs, it takes 2", node.label, node.inputs.size());
  require_exact(node);
  const bool convolution = is(node, "ConvInteger");
  const std::string a = without_zero(node, 0, 2, {-1, 1});  // one a row
  Shape outputs{-1};
  if (convolution) outputs.resize(constant(node.inputs[1])->type.shape.size(), 1);
  const std::string b = without_zero(node, 1, 3, outputs);
  const std::string& output = node.outputs[0];
  Node plain = node;
  plain.op = convolution ? "Conv" : "MatMul";
  plain.inputs = {a, b};
  plain.outputs = {output + "/real"};
  result_.push_back(std::move(plain));
  cast(node, output + "/real", output, file_int32);
}

// The smallest range that holds all numbers and zero, in 255 steps.
void Expansion::expand_quantisation(const Node& node) {
  require(node.inputs.size() == 1 && node.outputs.size() == 3,
          "{}: has {} inputs and {} outputs, it takes 1 and gives 3", node.label, node.inputs.size(),
          node.outputs.size());
  const std::string &x = node.inputs[0], &stem = node.outputs[0];
  const std::string zero = number(node, stem + "/0", 0.0F), one = number(node, stem + "/1", 1.0F),
                    most = number(node, stem + "/255", 255.0F);
  add(node, "ReduceMin", {x}, stem + "/least").set("keepdims", int64_t{0});
  add(node, "ReduceMax", {x}, stem + "/largest").set("keepdims", int64_t{0});
  add(node, "Min", {stem + "/least", zero}, stem + "/low");
  add(node, "Max", {stem + "/largest", zero}, stem + "/high");
  add(node, "Sub", {stem + "/high", stem + "/low"}, stem + "/range");
  add(node, "Div", {stem + "/range", most}, stem + "/step");
  add(node, "Equal", {stem + "/range", zero}, stem + "/flat");
  add(node, "Where", {stem + "/flat", one, stem + "/step"}, node.outputs[1]);
  add(node, "Div", {stem + "/low", node.outputs[1]}, stem + "/below");
  add(node, "Neg", {stem + "/below"}, stem + "/above");
  add(node, "Round", {stem + "/above"}, stem + "/zero");
  cast(node, stem + "/zero", node.outputs[2], file_uint8);
  add(node, "Div", {x, node.outputs[1]}, stem + "/steps");
  add(node, "Round", {stem + "/steps"}, stem + "/rounded");
  add(node, "Add", {stem + "/rounded", stem + "/zero"}, stem + "/moved");
  add(node, "Max", {stem + "/moved", zero}, stem + "/bounded");
  add(node, "Min", {stem + "/bounded", most}, stem + "/code");
  cast(node, stem + "/code", stem, file_uint8);
}

// ONNX Runtime's own operator for the whole sequence.
void Expansion::expand_runtime_product(Node node) {
  require(node.inputs.size() >= 3 && constant_weights(node.inputs[1], input_of(node, 3)),
          "{}: has weights that are computed at run time, which is not supported; export them as constants",
          node.label);
  node.op = "MatMulInteger";
  node.domain.clear();
  node.inputs.resize(std::max<size_t>(node.inputs.size(), 4));
  result_.push_back(std::move(node));
}

}  // namespace

std::vector<Node> expand_dynamic(std::vector<Node> nodes, const std::map<std::string, FileTensor>& initialisers,
                                 const std::set<std::string, std::less<>>& outputs) {
  return Expansion(std::move(nodes), initialisers, outputs).result();
}

}  // namespace mote::onnx
