// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_weights.hpp"

#include <algorithm>
#include <cmath>

namespace mote::onnx {

namespace {

std::optional<std::vector<float>> constant_reals(const Translator& t, const std::string& name) {
  const Value* const value = t.value(name);
  if (value == nullptr || !t.builder().constant(*value)) return std::nullopt;
  const Tensor& tensor = t.builder().tensor(t.builder().dequantised(*value).id);
  if (tensor.type.dtype != DType::f32) return std::nullopt;
  return to_values<float>(tensor.data);
}

}  // namespace

std::optional<ChannelScale> batch_norm_of(const Translator& t, const Node& node) {
  require(node.inputs.size() == 5, "BatchNormalization has {} inputs, it takes 5", node.inputs.size());
  require(node.integer("training_mode", 0) == 0,
          "BatchNormalization is in training mode; export the model for inference (model.eval())");
  node.ignore("momentum");  // of training
  const auto epsilon = static_cast<double>(node.real("epsilon", 1e-5F));
  std::vector<std::vector<float>> parts;  // scale, bias, mean, variance
  for (size_t i = 1; i < 5; ++i) {
    const auto values = constant_reals(t, node.inputs[i]);
    if (!values) return std::nullopt;
    parts.push_back(*values);
    require(values->size() == parts[0].size(), "BatchNormalization has {} and {} channels", parts[0].size(),
            values->size());
  }
  ChannelScale norm;
  for (size_t c = 0; c < parts[0].size(); ++c) {
    const double factor = static_cast<double>(parts[0][c]) / std::sqrt(static_cast<double>(parts[3][c]) + epsilon);
    norm.factor.push_back(factor);
    norm.offset.push_back(static_cast<double>(parts[1][c]) - static_cast<double>(parts[2][c]) * factor);
  }
  return norm;
}

std::optional<std::vector<float>> take_bias(Translator& t, int64_t channels, size_t trailing) {
  const Node* const next = t.follower();
  if (next == nullptr || !next->domain.empty() || next->op != "Add" || next->inputs.size() != 2)
    return std::nullopt;
  const Value* const a = t.value(next->inputs[0]);
  const Value* const bias = a == nullptr ? t.value(next->inputs[1]) : a;
  if (bias == nullptr || bias->meaning == Value::Meaning::codes) return std::nullopt;
  const Shape shape = bias->shape();
  const size_t rank = t.shape(0).size();
  if (elements(shape) != channels || shape.size() <= trailing || shape.size() > rank) return std::nullopt;
  if (shape[shape.size() - 1 - trailing] != channels) return std::nullopt;
  const auto values = constant_reals(t, a == nullptr ? next->inputs[1] : next->inputs[0]);
  if (values) t.take_follower();
  return values;
}

Value scaled_weights(Translator& t, size_t channel_axis) {
  Builder& builder = t.builder();
  const Tensor codes = t.tensor(1);
  const bool as_unsigned = codes.type.dtype == DType::u8;
  require(codes.constant() && (codes.type.dtype == DType::i8 || as_unsigned),
          "has weights that are no constants of int8 or uint8");
  const auto channels = static_cast<size_t>(codes.type.shape.at(channel_axis));
  Quantization quant{t.reals(2, "scale of weights"), {as_unsigned ? -128 : 0}, -1};
  if (t.has(3)) {
    quant.zero.clear();
    for (const std::byte zero : t.tensor(3).data) {
      quant.zero.push_back(as_unsigned ? std::to_integer<int>(zero) - 128 : static_cast<int8_t>(zero));
    }
  }
  const size_t count = std::max(quant.scale.size(), quant.zero.size());
  require(count == 1 || count == channels, "has {} scales and {} zero points for {} channels", quant.scale.size(),
          quant.zero.size(), channels);
  if (count > 1) quant.axis = static_cast<int>(channel_axis);
  if (quant.scale.size() == 1) quant.scale.resize(count, quant.scale[0]);
  if (quant.zero.size() == 1) quant.zero.resize(count, quant.zero[0]);
  require(quant.scale.size() == quant.zero.size(), "has {} scales but {} zero points", quant.scale.size(),
          quant.zero.size());
  for (const float scale : quant.scale) {
    require(std::isfinite(scale) && scale > 0.0F, "has a scale of {}; scales must be positive", scale);
  }
  Bytes data = codes.data;
  if (as_unsigned) {
    for (std::byte& code : data) code ^= std::byte{0x80};
  }
  const Shape& shape = codes.type.shape;
  return {builder.add_tensor(codes.name, {DType::i8, shape, std::move(quant)}, std::move(data)),
          layout_of(shape, identity(shape.size()))};
}

Weights::Weights(Translator& t, size_t weights, size_t bias, size_t channel_axis)
    : t_(t), weights_(t.in(weights)), channel_axis_(channel_axis) {
  require(t.builder().constant(weights_),
          "computes its weights ('{}') at run time, which is not supported; export them as constants",
          t.node().inputs[weights]);
  if (!t.has(bias)) return;
  const Tensor& tensor = t.tensor(bias);
  require(tensor.constant(),
          "computes its bias ('{}') at run time, which is not supported; export it as a constant",
          t.node().inputs[bias]);
  if (tensor.type.dtype == DType::i32) codes_ = to_values<int32_t>(tensor.data);
  if (tensor.type.dtype != DType::i32 || !tensor.type.quant.empty()) {
    for (const float value : t.reals(bias, "bias")) bias_.push_back(static_cast<double>(value));
  }
}

void Weights::scale(double weights, double bias) {
  require(codes_.empty() || (weights == 1.0 && bias == 1.0), "scales quantised weights, which is not supported");
  if (weights != 1.0) fold({std::vector<double>(static_cast<size_t>(channels()), weights), {}});
  for (double& value : bias_) value *= bias / weights;  // fold() multiplied it by `weights`
}

void Weights::add_bias(const std::vector<float>& bias) {
  if (bias_.empty()) bias_.assign(static_cast<size_t>(channels()), 0.0);
  for (size_t c = 0; c < bias_.size(); ++c) bias_[c] += static_cast<double>(bias[bias.size() == 1 ? 0 : c]);
}

void Weights::fold(const ChannelScale& norm) {
  require(static_cast<int64_t>(norm.factor.size()) == channels(), "normalises {} channels of {}",
          norm.factor.size(), channels());
  Builder& builder = t_.builder();
  weights_ = builder.dequantised(weights_);
  const Tensor source = builder.tensor(weights_.id);
  std::vector<float> values = to_values<float>(source.data);
  size_t inner = 1;
  for (size_t d = channel_axis_ + 1; d < source.type.shape.size(); ++d)
    inner *= static_cast<size_t>(source.type.shape[d]);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<double>(values[i]) * norm.factor[i / inner % norm.factor.size()]);
  }
  weights_.id = builder.add_tensor(source.name, source.type, to_bytes(values));
  if (bias_.empty() && !norm.offset.empty()) bias_.assign(norm.factor.size(), 0.0);
  for (size_t c = 0; c < bias_.size(); ++c) {
    bias_[c] = bias_[c] * norm.factor[c] + (norm.offset.empty() ? 0.0 : norm.offset[c]);
  }
}

Mode Weights::mode(Value& x) {
  const Node* const next = t_.follower();
  if (next != nullptr && next->domain.empty() && next->op == "BatchNormalization" &&
      t_.in(0).meaning != Value::Meaning::codes) {
    const auto norm = batch_norm_of(t_, *next);
    if (norm && static_cast<int64_t>(norm->factor.size()) == channels()) {
      fold(*norm);
      codes_.clear();
      t_.take_follower();
    }
  }
  Mode mode = t_.mode({&x, &weights_}, true);
  integer_ = mode.integer();
  return mode;
}

Mode Weights::plain_mode() {
  weights_ = t_.builder().dequantised(weights_);
  return {};
}

TensorId Weights::integer_bias(TensorId input) const {
  const auto input_scale = static_cast<double>(tensor_scale(t_.builder().tensor(input).type, "input"));
  const Quantization& quant = t_.builder().tensor(weights_.id).type.quant;
  TensorType type{DType::i32, {channels()}, {}};
  type.quant.axis = quant.scale.size() > 1 ? 0 : -1;
  for (const float scale : quant.scale) {
    type.quant.scale.push_back(static_cast<float>(input_scale * static_cast<double>(scale)));
    type.quant.zero.push_back(0);
  }
  std::vector<int32_t> codes = codes_;
  if (!bias_.empty()) {
    for (size_t c = 0; c < bias_.size(); ++c) {
      const double scale = input_scale * static_cast<double>(quant.scale[c % quant.scale.size()]);
      const double code = std::round(bias_[c] / scale);
      require(std::abs(code) < 2147483648.0, "has a bias of {}, too large for its scale {}", bias_[c], scale);
      // A bias that was quantised with this scale keeps its codes: they were rounded once.
      const bool keep = c < codes_.size() && std::abs(code - codes_[c]) <= 1e-5 * std::abs(code) + 0.5;
      if (c < codes.size()) {
        codes[c] = keep ? codes_[c] : static_cast<int32_t>(code);
      } else {
        codes.push_back(static_cast<int32_t>(code));
      }
    }
  }
  require(static_cast<int64_t>(codes.size()) == channels(), "has {} biases for {} channels", codes.size(),
          channels());
  return t_.builder().add_tensor("bias", type, to_bytes(codes));
}

std::optional<TensorId> Weights::bias(TensorId input) const {
  if (bias_.empty() && codes_.empty()) return std::nullopt;
  if (integer_) return integer_bias(input);
  require(codes_.empty() || !bias_.empty(), "has an integer bias but computes in float; quantise its input, too");
  std::vector<float> values;
  for (const double value : bias_) values.push_back(static_cast<float>(value));
  return t_.builder().add_tensor("bias", {DType::f32, {std::ssize(values)}, {}}, to_bytes(values));
}

}  // namespace mote::onnx
