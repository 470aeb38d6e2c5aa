// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_sample.hpp"

#include <algorithm>
#include <cmath>

namespace mote::convolution {

// The standard distributions differ between libraries; plain arithmetic gives the same samples everywhere.
int64_t SampleMaker::integer(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
}

double SampleMaker::real(double low, double high) {
  return low + (high - low) * (static_cast<double>(random_()) / 0x1p32);
}

bool SampleMaker::chance(double probability) { return real(0.0, 1.0) < probability; }

Activation SampleMaker::activation() {
  constexpr Activation all[] = {Activation::none, Activation::relu, Activation::relu_n1_to_1, Activation::relu6};
  return all[integer(0, 3)];
}

SlidingWindow SampleMaker::window() {
  SlidingWindow window;
  const bool pointwise = chance(0.25);
  for (Window* dimension : {&window.vertical, &window.horizontal}) {
    dimension->kernel = pointwise ? 1 : chance(0.5) ? 3 : integer(1, 5);
    dimension->stride = chance(0.5) ? 1 : integer(1, 3);
    dimension->dilation = chance(0.8) ? 1 : integer(2, 3);
  }
  complete(window);
  return window;
}

SlidingWindow SampleMaker::window_3x3() {
  SlidingWindow window;
  window.vertical = {3, integer(1, 3), 1};
  window.horizontal = {3, integer(1, 2), 1};
  complete(window);
  return window;
}

void SampleMaker::complete(SlidingWindow& window) {
  for (auto [padding, dimension] : {std::pair{&window.pad_vertical, &window.vertical},
                                    std::pair{&window.pad_horizontal, &window.horizontal}}) {
    if (chance(0.3)) continue;
    padding->before = integer(0, dimension->span() - 1);
    padding->after = integer(0, dimension->span() - 1);
  }
  window.activation = activation();
}

Shape SampleMaker::input(const SlidingWindow& window, int64_t channels) {
  const auto extent = [&](const Window& dimension, const Padding& padding) {
    const int64_t least = std::max<int64_t>(1, dimension.span() - padding.before - padding.after);
    return least + integer(0, 8);
  };
  const int64_t height = extent(window.vertical, window.pad_vertical);
  const int64_t width = extent(window.horizontal, window.pad_horizontal);
  return {chance(0.8) ? 1 : 2, height, width, channels};
}

Tensor SampleMaker::floats(const Shape& shape) {
  std::vector<float> values;
  for (int64_t i = 0; i < elements(shape); ++i) values.push_back(static_cast<float>(real(-1.0, 1.0)));
  return {"", {DType::f32, shape, {}}, to_bytes(values)};
}

Tensor SampleMaker::integer_weights(const Shape& shape, int64_t outputs, int axis, int64_t limit) {
  std::vector<int8_t> values;
  for (int64_t i = 0; i < elements(shape); ++i) values.push_back(static_cast<int8_t>(integer(-limit, limit)));
  const double base = real(0.001, 0.05);
  Quantization quant{{static_cast<float>(base)}, {0}, -1};
  if (chance(0.7)) {
    const auto count = static_cast<size_t>(outputs);
    quant = {std::vector<float>(count), std::vector<int32_t>(count, 0), axis};
    for (size_t c = 0; c < count; ++c) {
      // Channels that training left without effect have tiny scales (and huge biases, below); the first one sets
      // the output's scale.
      const bool dead = c > 0 && chance(0.05);
      quant.scale[c] = static_cast<float>(base * (dead ? real(1e-9, 1e-5) : real(0.3, 3.0)));
    }
  }
  return {"weights", {DType::i8, shape, quant}, to_bytes(values)};
}

Tensor SampleMaker::integer_bias(int64_t outputs, double limit, float in_scale, const Tensor& weights) {
  std::vector<int32_t> values;
  for (int64_t i = 0; i < outputs; ++i) {
    const std::vector<float>& scales = weights.type.quant.scale;
    const bool dead = scales[scales.size() == 1 ? 0 : static_cast<size_t>(i)] < 1e-6F;
    values.push_back(static_cast<int32_t>(dead ? real(-0x1p30, 0x1p30) : real(-limit, limit)));
  }
  Quantization quant = weights.type.quant;  // as in a file: input scale times weight scale
  for (float& scale : quant.scale) scale *= in_scale;
  if (quant.axis >= 0) quant.axis = 0;
  return {"bias", {DType::i32, {outputs}, quant}, to_bytes(values)};
}

void SampleMaker::quantised(Sample& sample, const Shape& input, const Shape& weights, int64_t outputs, int axis) {
  const auto zero = [&] { return static_cast<int32_t>(integer(-128, 127)); };
  const int64_t limit = chance(0.6) ? 127 : integer(1, 127);
  const auto in_scale = static_cast<float>(real(0.001, 0.1));
  const Tensor filter = integer_weights(weights, outputs, axis, limit);
  // A sum's usual size, so that most outputs stay inside the range and some saturate.
  const double taps = static_cast<double>(elements(weights)) / static_cast<double>(outputs);
  const double usual = std::sqrt(taps) * 74.0 * static_cast<double>(limit) * 0.6;
  const double real_unit = static_cast<double>(in_scale) * static_cast<double>(filter.type.quant.scale[0]);
  const auto out_scale = static_cast<float>(real_unit * std::max(usual / real(20.0, 150.0), 0.2));
  sample.in.emplace_back(Tensor{"input", {DType::i8, input, {{in_scale}, {zero()}, -1}}, {}});
  sample.in.emplace_back(filter);
  if (chance(0.8)) sample.in.emplace_back(integer_bias(outputs, usual, in_scale, filter));
  sample.out = {{DType::i8, {}, {{out_scale}, {zero()}, -1}}};
  sample.tolerance = 1.0;
}

Sample SampleMaker::sample(OperatorPtr op, const Shape& input, const Shape& weights, int64_t outputs, int axis) {
  Sample sample;
  sample.op = std::move(op);
  if (chance(0.8)) {
    quantised(sample, input, weights, outputs, axis);
  } else {
    sample.in = {Tensor{"input", {DType::f32, input, {}}, {}}, floats(weights)};
    if (chance(0.8)) sample.in.emplace_back(floats({outputs}));
    sample.out = {{DType::f32, {}, {}}};
    sample.tolerance = 1e-4;
  }
  std::vector<const Tensor*> inputs;
  for (const std::optional<Tensor>& tensor : sample.in) inputs.push_back(tensor ? &*tensor : nullptr);
  sample.out = sample.op->infer(inputs, sample.out);
  return sample;
}

}  // namespace mote::convolution
