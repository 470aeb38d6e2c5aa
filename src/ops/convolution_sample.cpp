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

Tensor SampleMaker::integer_bias(DType dtype, int64_t outputs, double limit, float in_scale,
                                 const Tensor& weights) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < outputs; ++i) {
    const std::vector<float>& scales = weights.type.quant.scale;
    const bool dead = scales[scales.size() == 1 ? 0 : static_cast<size_t>(i)] < 1e-6F;
    values.push_back(static_cast<int64_t>(dead ? real(-0x1p30, 0x1p30) : real(-limit, limit)));
  }
  Quantization quant = weights.type.quant;  // as in a file: input scale times weight scale
  for (float& scale : quant.scale) scale *= in_scale;
  quant.zero.assign(quant.scale.size(), 0);
  if (quant.axis >= 0) quant.axis = 0;
  const Bytes data =
      dtype == DType::i64 ? to_bytes(values) : to_bytes(std::vector<int32_t>(values.begin(), values.end()));
  return {"bias", {dtype, {outputs}, quant}, data};
}

// Sometimes weights of four bits, sometimes a zero point.
void SampleMaker::pack_or_shift(Tensor& weights) {
  if (chance(0.1)) {
    std::vector<uint8_t> packed(static_cast<size_t>((elements(weights.type.shape) + 1) / 2));
    for (uint8_t& pair : packed) pair = static_cast<uint8_t>(integer(0, 255));
    weights.type.dtype = DType::i4;
    weights.data = to_bytes(packed);
  } else if (chance(0.1)) {
    const auto reach = chance(0.5) ? 1 : 100;
    for (int32_t& zero : weights.type.quant.zero) zero = static_cast<int32_t>(integer(-reach, reach));
  }
}

void SampleMaker::quantised(Sample& sample, const Shape& input, Tensor weights, int64_t outputs, int64_t limit) {
  const auto zero = [&] { return static_cast<int32_t>(integer(-128, 127)); };
  const auto in_scale = static_cast<float>(real(0.001, 0.1));
  // A sum's usual size, so that most outputs stay inside the range and some saturate.
  const double taps = static_cast<double>(elements(weights.type.shape)) / static_cast<double>(outputs);
  const double usual = std::sqrt(taps) * 74.0 * static_cast<double>(limit) * 0.6;
  const double real_unit = static_cast<double>(in_scale) * static_cast<double>(weights.type.quant.scale[0]);
  const auto out_scale = static_cast<float>(real_unit * std::max(usual / real(20.0, 150.0), 0.2));
  sample.in.emplace_back(Tensor{"input", {DType::i8, input, {{in_scale}, {zero()}, -1}}, {}});
  sample.in.emplace_back(weights);
  if (chance(0.8)) sample.in.emplace_back(integer_bias(DType::i32, outputs, usual, in_scale, weights));
  sample.out = {{DType::i8, {}, {{out_scale}, {zero()}, -1}}};
  sample.tolerance = 1.0;
}

void SampleMaker::quantised16(Sample& sample, const Shape& input, Tensor weights, int64_t outputs,
                              const Uses& uses) {
  const auto in_scale = static_cast<float>(real(1e-5, 1e-3));
  const double taps = static_cast<double>(elements(weights.type.shape)) / static_cast<double>(outputs);
  const double usual = std::sqrt(taps) * 19000.0 * (weights.type.dtype == DType::i4 ? 5.0 : 74.0);
  const double real_unit = static_cast<double>(in_scale) * static_cast<double>(weights.type.quant.scale[0]);
  // Multipliers that are too large for sums of 32 bits now and then.
  const auto out_scale = static_cast<float>(real_unit * (chance(0.2) ? real(0.5, 2.0) : usual / real(1e3, 4e4)));
  weights.type.quant.zero.assign(weights.type.quant.zero.size(), 0);
  sample.in.emplace_back(Tensor{"input", {DType::i16, input, {{in_scale}, {0}, -1}}, {}});
  sample.in.emplace_back(weights);
  const DType bias = uses.bias32 && chance(0.3) ? DType::i32 : DType::i64;
  if (chance(0.8)) sample.in.emplace_back(integer_bias(bias, outputs, usual, in_scale, weights));
  sample.out = {{DType::i16, {}, {{out_scale}, {0}, -1}}};
  sample.tolerance = 1.6;
}

Sample SampleMaker::sample(OperatorPtr op, const Shape& input, const Shape& weights, int64_t outputs, int axis,
                           const Uses& uses) {
  Sample sample;
  sample.op = std::move(op);
  const double kind = real(0.0, 1.0);
  const int64_t limit = chance(0.5) ? 127 : chance(0.6) ? (chance(0.5) ? 1 : 7) : integer(1, 127);
  Tensor filter = integer_weights(weights, outputs, axis, limit);
  if (kind < 0.8) pack_or_shift(filter);
  const bool runtime = uses.runtime_weights && chance(0.1) && filter.type.dtype == DType::i8;
  if (runtime) {
    filter.data = {};
    if (!uses.runtime_zero) filter.type.quant.zero.assign(filter.type.quant.zero.size(), 0);
    if (uses.runtime_zero) filter.type.quant = {{filter.type.quant.scale[0]}, {filter.type.quant.zero[0]}, -1};
  }
  if (kind < 0.6) {
    quantised(sample, input, filter, outputs, runtime ? 127 : limit);
  } else if (kind < 0.8) {
    quantised16(sample, input, filter, outputs, uses);
  } else {
    const bool hybrid = uses.hybrid && kind > 0.9;
    for (int32_t& zero : filter.type.quant.zero)
      zero = chance(0.3) ? static_cast<int32_t>(integer(-128, 127)) : zero;
    sample.in = {Tensor{"input", {DType::f32, input, {}}, {}}, hybrid ? filter : floats(weights)};
    if (runtime) sample.in[1] = Tensor{"weights", {DType::f32, weights, {}}, {}};
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
