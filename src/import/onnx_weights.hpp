// SPDX-License-Identifier: Apache-2.0
// Constant weights and bias of a convolution or dense layer, with a following batch normalisation folded in.
#pragma once

#include "import/onnx_translator.hpp"

namespace mote::onnx {

// y = factor[c] * x + offset[c]: a batch normalisation with constant statistics.
struct ChannelScale {
  std::vector<double> factor, offset;
};

// An Add of one constant number a channel behind the node, which is computed with it then: the numbers.
// `trailing`: dimensions of the result behind that of the `channels`.
[[nodiscard]] std::optional<std::vector<float>> take_bias(Translator& t, int64_t channels, size_t trailing);

// Constant i8 or u8 codes, their scales and, where they have some, zero points (inputs 1, 2 and 3), for products
// of real activations that are quantised on the device. `channel_axis`: the weights' output channels.
[[nodiscard]] Value scaled_weights(Translator& t, size_t channel_axis);

// Of a BatchNormalization node. Absent when something in it is computed at run time.
[[nodiscard]] std::optional<ChannelScale> batch_norm_of(const Translator& t, const Node& node);

class Weights {
 public:
  // Inputs of the node: weights, bias (may be absent). `channel_axis`: the weights' output channels.
  Weights(Translator& t, size_t weights, size_t bias, size_t channel_axis);

  // Folds what follows, then decides how the layer with input `x` is computed.
  [[nodiscard]] Mode mode(Value& x);
  [[nodiscard]] Mode plain_mode();  // in float, with nothing that follows

  // These are final after mode().
  [[nodiscard]] const Value& weights() const { return weights_; }
  [[nodiscard]] std::optional<TensorId> bias(TensorId input) const;  // one number a channel; absent: none

  void scale(double weights, double bias);        // multiplies them by constants
  void add_bias(const std::vector<float>& bias);  // one number, or one a channel

 private:
  [[nodiscard]] int64_t channels() const { return weights_.shape().at(channel_axis_); }
  void fold(const ChannelScale& norm);
  [[nodiscard]] TensorId integer_bias(TensorId input) const;

  Translator& t_;
  Value weights_;
  size_t channel_axis_;
  std::vector<double> bias_;    // real; empty: none
  std::vector<int32_t> codes_;  // of an integer bias whose scale is the input's times the weights'
  bool integer_ = false;
};

}  // namespace mote::onnx
