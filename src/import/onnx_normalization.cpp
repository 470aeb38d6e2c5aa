// SPDX-License-Identifier: Apache-2.0
// Softmax and normalisations of ONNX.
#include <algorithm>
#include <cmath>

#include "import/onnx_float.hpp"
#include "import/onnx_weights.hpp"
#include "ops/convolution.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// The order in which the value is stored, with `axis` moved to the end if it is not there.
Permutation axis_last(Builder& builder, const Value& value, size_t axis) {
  Permutation order = builder.ordered(value).order;
  const auto place = std::find(order.begin(), order.end(), axis);
  std::rotate(place, place + 1, order.end());
  return order;
}

void softmax(Translator& t) {
  Value value = t.in(0);
  const Shape shape = value.shape();
  require(!shape.empty(), "needs at least one dimension");
  const size_t axis = t.axis(t.node().integer("axis", -1), shape.size());
  Mode mode;
  if (t.node().op == "LogSoftmax") {
    value = t.plain(0);
  } else {
    mode = t.mode({&value}, false);
  }
  TensorType type = mode.type;
  if (mode.integer()) type.quant = {{1.0F / 256}, {-128}, -1};  // the operator's own
  const Permutation order = axis_last(t.builder(), value, axis);
  const TensorId in = t.builder().stored(value, order);
  TensorId id = no_tensor;
  if (t.node().op == "LogSoftmax") {
    id = t.builder().add("LOG_SOFTMAX", tfl::LogSoftmaxOptionsT{}, {in}, {type})[0];
  } else {
    tfl::SoftmaxOptionsT options;
    options.beta = 1.0F;
    id = t.builder().add("SOFTMAX", options, {in}, {type})[0];
  }
  if (mode.integer() && type.quant != mode.type.quant) id = t.builder().add("QUANTIZE", {id}, {mode.type})[0];
  t.give_mode(mode, id, layout_of(shape, order));
}

// Scales and shifts channels: a depthwise convolution of one element, which every target computes fast.
void batch_norm(Translator& t) {
  const std::optional<ChannelScale> norm = batch_norm_of(t, t.node());
  require(norm.has_value(),
          "has statistics that are computed at run time; export the model for inference (model.eval())");
  Value value = t.plain(0);
  const Shape shape = value.shape();
  const auto channels = std::ssize(norm->factor);
  require(shape.size() >= 2 && shape[1] == channels, "normalises {} channels of an input {}", channels,
          to_text(shape));
  const Mode mode = t.mode({&value}, true);
  const Permutation order = channels_last(shape.size());
  const TensorId in = t.builder().stored(value, order);
  SlidingWindow window;
  window.activation = activation_from_tflite(static_cast<int>(mode.activation));
  const std::vector<float> factor(norm->factor.begin(), norm->factor.end()),
      offset(norm->offset.begin(), norm->offset.end());
  const Shape stored = permuted(shape, order);
  const TensorId image = t.builder().with_shape(in, {1, 1, elements(shape) / channels, channels});
  const std::vector<TensorId> inputs{stored.size() == 4 ? in : image,
                                     t.builder().constant({1, 1, 1, channels}, factor),
                                     t.builder().constant({channels}, offset)};
  const TensorId id = t.builder().add(make_depthwise_conv2d(window), inputs, {mode.type})[0];
  t.give_mode(mode, id, layout_of(shape, order));
}

// (x - mean) / sqrt(variance + epsilon) over `axes`, and what it is made of.
struct Normalised {
  Value result, mean, inverse_deviation;
};

Normalised normalised(Translator& t, const Value& x, const std::vector<size_t>& axes, float epsilon) {
  FloatMath math(t.builder());
  const Value mean = math.mean(x, axes);
  const Value centred = math.subtract(x, mean);
  const Value variance = math.mean(math.multiply(centred, centred), axes);
  const Value inverse = math.divide(math.number(1.0F), math.unary("SQRT", math.add(variance, epsilon)));
  return {math.multiply(centred, inverse), mean, inverse};
}

// A vector of one number a channel, in dimension 1 of `rank`.
Value by_channel(Translator& t, size_t input, size_t rank) {
  Value value = t.plain(input);
  require(value.shape().size() == 1 && t.constant(input), "has scales or shifts that are no constant vector");
  Shape shape(rank, 1);
  shape.at(1) = value.shape()[0];
  value.layout = reshaped(value.layout, shape).value();
  return value;
}

void instance_norm(Translator& t) {
  const Value x = t.plain(0);
  const size_t rank = x.shape().size();
  require(rank >= 3, "has an input of rank {}; it needs a batch, channels and at least one more dimension", rank);
  std::vector<size_t> axes;
  for (size_t d = 2; d < rank; ++d) axes.push_back(d);
  const Value y = normalised(t, x, axes, t.node().real("epsilon", 1e-5F)).result;
  FloatMath math(t.builder());
  t.give(0, math.add(math.multiply(y, by_channel(t, 1, rank)), by_channel(t, 2, rank)));
}

void layer_norm(Translator& t) {
  const Value x = t.plain(0);
  const size_t rank = x.shape().size();
  t.node().ignore("stash_type");  // float32, as is everything here
  std::vector<size_t> axes;
  for (size_t d = t.axis(t.node().integer("axis", -1), rank); d < rank; ++d) axes.push_back(d);
  FloatMath math(t.builder());
  const Normalised parts = normalised(t, x, axes, t.node().real("epsilon", 1e-5F));
  Value y = math.multiply(parts.result, t.plain(1));
  if (t.has(2)) y = math.add(y, t.plain(2));
  t.give(0, y);
  t.give(1, parts.mean);
  t.give(2, parts.inverse_deviation);
}

// Each group of channels by itself; then each channel (opset 21) is scaled and shifted.
void group_norm(Translator& t) {
  require(t.node().opset >= 21, "scales groups instead of channels (opset 18); export with opset 21");
  t.node().ignore("stash_type");  // float32, as is everything here
  const Value x = t.plain(0);
  const Shape shape = x.shape();
  const int64_t groups = t.node().integer("num_groups");
  require(shape.size() >= 3 && groups > 0 && shape[1] % groups == 0, "makes {} groups of {}", groups,
          to_text(shape));
  Shape split{shape[0], groups, shape[1] / groups};
  split.insert(split.end(), shape.begin() + 2, shape.end());
  Value grouped = x;
  grouped.layout = reshaped(x.layout, split).value();
  std::vector<size_t> axes;
  for (size_t d = 2; d < split.size(); ++d) axes.push_back(d);
  Value y = normalised(t, grouped, axes, t.node().real("epsilon", 1e-5F)).result;
  y.layout = reshaped(y.layout, shape).value();
  FloatMath math(t.builder());
  t.give(0, math.add(math.multiply(y, by_channel(t, 1, shape.size())), by_channel(t, 2, shape.size())));
}

void mean_variance_norm(Translator& t) {
  const Value x = t.plain(0);
  std::vector<int64_t> stated = t.node().integers("axes");
  if (stated.empty()) stated = {0, 2, 3};
  std::vector<size_t> axes;
  for (const int64_t number : stated) axes.push_back(t.axis(number, x.shape().size()));
  t.give(0, normalised(t, x, axes, 1e-9F).result);
}

constexpr Translation table[] = {
    {"BatchNormalization", batch_norm},
    {"GroupNormalization", group_norm},
    {"InstanceNormalization", instance_norm},
    {"LayerNormalization", layer_norm},
    {"LogSoftmax", softmax},
    {"MeanVarianceNormalization", mean_variance_norm},
    {"Softmax", softmax},
};

}  // namespace

std::span<const Translation> normalization_translations() { return table; }

}  // namespace mote::onnx
