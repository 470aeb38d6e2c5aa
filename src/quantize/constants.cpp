// SPDX-License-Identifier: Apache-2.0
#include "quantize/constants.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "ops/quantize_multiplier.hpp"
#include "quantize/ranges.hpp"
#include "quantize/rounding.hpp"
#include "quantize/weight_scale.hpp"

namespace mote {

namespace {

constexpr double bias_limit = 1 << 28;  // leaves room for the products in 32 bits

std::vector<double> reals(const Tensor* tensor, size_t count) {
  if (tensor == nullptr) return std::vector<double>(count, 0.0);
  const std::vector<float> values = to_values<float>(tensor->data);
  return {values.begin(), values.end()};
}

// One set of weights for each channel.
std::vector<std::vector<double>> by_channel(const std::vector<double>& weights, const std::vector<size_t>& channel,
                                            size_t channels) {
  std::vector<std::vector<double>> result(channels);
  for (size_t i = 0; i < weights.size(); ++i) result[channel[i]].push_back(weights[i]);
  return result;
}

// Below it the channel's bias would not fit.
double least_scale(double bias, float input_scale) {
  return std::abs(bias) / (static_cast<double>(input_scale) * bias_limit);
}

std::vector<double> scales_of(const std::vector<std::vector<double>>& channels, const std::vector<double>& bias,
                              float input_scale, const WeightOptions& options) {
  std::vector<double> scales;
  for (const std::vector<double>& weights : channels)
    scales.push_back(weight_scale(weights, options.kind, options.power_of_two));
  const double largest = *std::max_element(scales.begin(), scales.end());
  for (size_t c = 0; c < scales.size(); ++c) {
    if (scales[c] == 0) scales[c] = largest > 0 ? largest : 1.0 / 128;  // no weights: any scale will do
    const double least = least_scale(bias[c], input_scale);
    while (scales[c] < least) scales[c] = options.power_of_two ? 2 * scales[c] : least;
  }
  return scales;
}

// Versions of the interpreters differ in whether they round the product of two scales.
float scale_without_doubt(float scale, float input_scale, float output_scale) {
  const auto multiplier = [&](double product) {
    return quantize_multiplier(product / static_cast<double>(output_scale));
  };
  constexpr int most_steps = 1 << 14;  // about a thousandth
  float tried = scale;
  for (int step = 0; step < most_steps; ++step) {
    const FixedMultiplier exact = multiplier(static_cast<double>(input_scale) * static_cast<double>(tried));
    const FixedMultiplier rounded = multiplier(static_cast<double>(input_scale * tried));
    if (exact.multiplier == rounded.multiplier && exact.shift == rounded.shift) return tried;
    tried = std::nextafter(tried, std::numeric_limits<float>::infinity());
  }
  return scale;
}

template <class T>
Tensor bias_tensor(const Tensor& real, DType dtype, const std::vector<double>& bias, Quantization quant) {
  std::vector<T> values;
  for (size_t c = 0; c < bias.size(); ++c) {
    const auto scale = static_cast<double>(quant.scale[quant.scale.size() == 1 ? 0 : c]);
    values.push_back(static_cast<T>(std::nearbyint(bias[c] / scale)));
  }
  return {real.name, {dtype, real.type.shape, std::move(quant)}, to_bytes(values)};
}

// In the scale of the products.
Tensor layer_bias(const RealLayer& layer, const WeightOptions& options, const std::vector<double>& bias,
                  const Quantization& weights) {
  Quantization quant{{}, weights.zero, weights.axis < 0 ? -1 : 0};
  for (const float scale : weights.scale) quant.scale.push_back(layer.input_scale * scale);
  const Tensor none{layer.weights.name + "_bias", {DType::f32, {std::ssize(bias)}, {}}, {}};
  const Tensor& named = layer.bias == nullptr ? none : *layer.bias;
  return options.activations == DType::i16 ? bias_tensor<int64_t>(named, DType::i64, bias, std::move(quant))
                                           : bias_tensor<int32_t>(named, DType::i32, bias, std::move(quant));
}

}  // namespace

std::vector<size_t> indices_along(const Shape& shape, int axis) {
  const auto d = static_cast<size_t>(axis);
  int64_t below = 1;
  for (size_t inner = d + 1; inner < shape.size(); ++inner) below *= shape[inner];
  std::vector<size_t> result;
  for (int64_t i = 0; i < elements(shape); ++i) result.push_back(static_cast<size_t>(i / below % shape[d]));
  return result;
}

namespace {

// What the layer's outputs lose on average because its weights are rounded, by channel.
std::vector<double> mean_errors(const RealLayer& layer, const std::vector<double>& real,
                                const std::vector<int8_t>& integers, const std::vector<double>& scales,
                                const std::vector<size_t>& channel, size_t channels) {
  std::vector<double> errors(channels, 0.0);
  if (layer.input_means.empty()) return errors;
  const Shape& shape = layer.weights.type.shape;
  const size_t inputs = layer.input_means.size();
  const bool depthwise = layer.sum.in_axis < 0;
  const std::vector<size_t> along = depthwise ? channel : indices_along(shape, layer.sum.in_axis);
  const size_t group_inputs = depthwise ? 1 : static_cast<size_t>(shape[static_cast<size_t>(layer.sum.in_axis)]);
  const size_t groups = inputs / group_inputs;
  for (size_t i = 0; i < real.size(); ++i) {
    const size_t c = channel[i];
    const size_t first = c / (channels / groups) * group_inputs;
    const size_t input = depthwise ? first : first + along[i];
    errors[c] += (real[i] - scales[scales.size() == 1 ? 0 : c] * integers[i]) * layer.input_means.at(input);
  }
  return errors;
}

}  // namespace

namespace {

// What becomes of a layer's weights: their scales, integers in the tensor's order, and what the biases take up.
struct Rounding {
  std::vector<float> scales;
  std::vector<int8_t> integers;
  std::vector<double> bias;
};

Rounding nearest(const RealLayer& layer, const WeightOptions& options, const std::vector<double>& real,
                 const std::vector<size_t>& channel, std::vector<float> scales, size_t channels) {
  Rounding result{std::move(scales), {}, {}};
  const std::vector<double> exact(result.scales.begin(), result.scales.end());
  for (size_t i = 0; i < real.size(); ++i) {
    const double scale = exact[options.per_tensor ? 0 : channel[i]];
    result.integers.push_back(static_cast<int8_t>(integer_weight(real[i], scale, options.kind)));
  }
  result.bias = mean_errors(layer, real, result.integers, exact, channel, channels);
  return result;
}

// Channel by channel, with the moments of what it reads.
Rounding calibrated(const RealLayer& layer, const WeightOptions& options,
                    const std::vector<std::vector<double>>& weights, const std::vector<size_t>& channel,
                    std::vector<float> scales, const std::vector<double>& bias) {
  Rounding result{std::move(scales), std::vector<int8_t>(channel.size()), {}};
  std::vector<std::vector<int8_t>> integers;
  std::unique_ptr<ChannelRounder> rounder;
  for (size_t c = 0; c < weights.size(); ++c) {
    if (c % layer.moments->group_outputs == 0)
      rounder = std::make_unique<ChannelRounder>(layer.moments->groups.at(c / layer.moments->group_outputs));
    float& scale = result.scales[options.per_tensor ? 0 : c];
    const auto least = static_cast<float>(least_scale(bias[c], layer.input_scale));
    const RoundedChannel rounded =
        rounder->round(weights[c], {options.kind, scale, least, options.per_tensor, options.power_of_two});
    scale = rounded.scale;
    result.bias.push_back(rounded.bias);
    integers.push_back(rounded.integers);
  }
  std::vector<size_t> next(weights.size(), 0);
  for (size_t i = 0; i < channel.size(); ++i) result.integers[i] = integers[channel[i]][next[channel[i]]++];
  return result;
}

}  // namespace

LayerConstants quantize_layer(const RealLayer& layer, const WeightOptions& options) {
  const Shape& shape = layer.weights.type.shape;
  const auto channels = static_cast<size_t>(shape[static_cast<size_t>(layer.sum.out_axis)]);
  const std::vector<double> real = reals(&layer.weights, 0);
  std::vector<double> bias = reals(layer.bias, channels);
  const std::vector<size_t> channel = indices_along(shape, layer.sum.out_axis);
  const std::vector<std::vector<double>> rows = by_channel(real, channel, channels);
  std::vector<double> scales = scales_of(rows, bias, layer.input_scale, options);
  if (options.per_tensor) {
    const auto largest = static_cast<float>(*std::max_element(scales.begin(), scales.end()));
    scales = {static_cast<double>(scale_without_doubt(largest, layer.input_scale, layer.output_scale))};
  }
  std::vector<float> stored(scales.begin(), scales.end());
  const Rounding made = layer.moments == nullptr
                            ? nearest(layer, options, real, channel, std::move(stored), channels)
                            : calibrated(layer, options, rows, channel, std::move(stored), bias);
  const std::vector<int32_t> zeros(made.scales.size(), 0);
  const Quantization quant{made.scales, zeros, options.per_tensor ? -1 : layer.sum.out_axis};
  LayerConstants result{{layer.weights.name, {DType::i8, shape, quant}, to_bytes(made.integers)}, {}};
  if (layer.bias == nullptr && layer.input_means.empty() && layer.moments == nullptr) return result;
  for (size_t c = 0; c < channels; ++c) bias[c] += made.bias[c];
  result.bias = layer_bias(layer, options, bias, quant);
  return result;
}

Tensor quantize_constant(const Tensor& tensor, DType dtype, const Quantization& quant) {
  const Range ends = covered(quant, dtype);
  const auto scale = static_cast<double>(quant.scale[0]);
  std::vector<int8_t> bytes;
  std::vector<int16_t> words;
  for (const float value : to_values<float>(tensor.data)) {
    const double steps = std::nearbyint(std::clamp(static_cast<double>(value), ends.low, ends.high) / scale);
    const int64_t integer = static_cast<int64_t>(steps) + quant.zero[0];
    if (dtype == DType::i16) {
      words.push_back(static_cast<int16_t>(std::clamp<int64_t>(integer, -32768, 32767)));
    } else {
      bytes.push_back(static_cast<int8_t>(std::clamp<int64_t>(integer, -128, 127)));
    }
  }
  return {tensor.name, {dtype, tensor.type.shape, quant}, dtype == DType::i16 ? to_bytes(words) : to_bytes(bytes)};
}

}  // namespace mote
