// SPDX-License-Identifier: Apache-2.0
#include "quantize/constants.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/quantize_multiplier.hpp"
#include "quantize/ranges.hpp"

namespace mote {

namespace {

constexpr double weight_limit = 127;
constexpr double bias_limit = 1 << 28;  // leaves room for the products in 32 bits

std::vector<double> reals(const Tensor* tensor, size_t count) {
  if (tensor == nullptr) return std::vector<double>(count, 0.0);
  const std::vector<float> values = to_values<float>(tensor->data);
  return {values.begin(), values.end()};
}

std::vector<float> scales_of(const std::vector<double>& weights, const std::vector<size_t>& channel,
                             const std::vector<double>& bias, float input_scale) {
  std::vector<double> scales(bias.size(), 0.0);
  for (size_t i = 0; i < weights.size(); ++i)
    scales[channel[i]] = std::max(scales[channel[i]], std::abs(weights[i]) / weight_limit);
  const double largest = *std::max_element(scales.begin(), scales.end());
  std::vector<float> result;
  for (size_t c = 0; c < scales.size(); ++c) {
    double scale = scales[c];
    if (scale == 0) scale = largest > 0 ? largest : 1.0 / weight_limit;  // no weights: any scale will do
    scale = std::max(scale, std::abs(bias[c]) / (static_cast<double>(input_scale) * bias_limit));
    result.push_back(static_cast<float>(scale));
  }
  return result;
}

// Versions of the interpreters differ in whether they round the product of two scales.
float scale_without_doubt(float scale, float input_scale, float output_scale) {
  const auto multiplier = [&](double product) {
    return quantize_multiplier(product / static_cast<double>(output_scale));
  };
  constexpr int most_steps = 1 << 14;  // a thousandth; one in a hundred fits
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
    values.push_back(static_cast<T>(std::llround(bias[c] / scale)));
  }
  return {real.name, {dtype, real.type.shape, std::move(quant)}, to_bytes(values)};
}

}  // namespace

std::vector<size_t> channels_of(const Shape& weights, int out_axis) {
  const auto axis = static_cast<size_t>(out_axis);
  int64_t below = 1;
  for (size_t d = axis + 1; d < weights.size(); ++d) below *= weights[d];
  std::vector<size_t> channel;
  for (int64_t i = 0; i < elements(weights); ++i)
    channel.push_back(static_cast<size_t>(i / below % weights[axis]));
  return channel;
}

LayerConstants quantize_layer(const Tensor& weights, const Tensor* bias, const WeightedInputs& sum,
                              float input_scale, float output_scale, const WeightOptions& options) {
  const auto channels = static_cast<size_t>(weights.type.shape[static_cast<size_t>(sum.out_axis)]);
  const std::vector<double> real = reals(&weights, 0), real_bias = reals(bias, channels);
  const std::vector<size_t> channel = channels_of(weights.type.shape, sum.out_axis);
  std::vector<float> scales = scales_of(real, channel, real_bias, input_scale);
  if (options.per_tensor)
    scales = {scale_without_doubt(*std::max_element(scales.begin(), scales.end()), input_scale, output_scale)};
  std::vector<int8_t> integers;
  for (size_t i = 0; i < real.size(); ++i) {
    const auto scale = static_cast<double>(scales[options.per_tensor ? 0 : channel[i]]);
    integers.push_back(
        static_cast<int8_t>(std::clamp(std::nearbyint(real[i] / scale), -weight_limit, weight_limit)));
  }
  const std::vector<int32_t> zeros(scales.size(), 0);
  const Quantization quant{scales, zeros, options.per_tensor ? -1 : sum.out_axis};
  LayerConstants result{{weights.name, {DType::i8, weights.type.shape, quant}, to_bytes(integers)}, {}};
  if (bias == nullptr) return result;
  Quantization of_bias{{}, zeros, options.per_tensor ? -1 : 0};
  for (const float scale : scales) of_bias.scale.push_back(input_scale * scale);
  result.bias = options.activations == DType::i16
                    ? bias_tensor<int64_t>(*bias, DType::i64, real_bias, std::move(of_bias))
                    : bias_tensor<int32_t>(*bias, DType::i32, real_bias, std::move(of_bias));
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
