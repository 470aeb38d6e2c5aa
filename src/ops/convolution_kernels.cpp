// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_kernels.hpp"

#include <algorithm>
#include <cstdlib>

namespace mote::convolution {

namespace {

// The integers of a quantised convolution, one a output channel.
struct Quantised {
  nn::Conv2d shape{};
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<int32_t> multiplier;
  std::vector<int8_t> shift;
};

// TensorFlow Lite multiplies the scales in double for convolutions and per-channel dense layers.
double effective_scale(const Problem& problem, size_t channel) {
  const float input = tensor_scale(*problem.input, "input");
  const float output = tensor_scale(*problem.output, "output");
  const std::vector<float>& scales = problem.weight_type->quant.scale;
  const float weight = scales.size() == 1 ? scales[0] : scales[channel];
  const double product = problem.float_product ? static_cast<double>(input * weight)
                                               : static_cast<double>(input) * static_cast<double>(weight);
  return product / static_cast<double>(output);
}

// The largest magnitude that channel `c`'s sum can have, whatever the input.
int64_t sum_bound(const Quantised& q, size_t c) {
  const size_t taps = q.weights.size() / q.bias.size();
  int64_t magnitude = 0;
  for (size_t i = 0; i < taps; ++i) magnitude += std::abs(static_cast<int64_t>(q.weights[c * taps + i]));
  const int64_t reach = std::max(q.shape.in_zero + 128, 127 - q.shape.in_zero);
  return magnitude * reach + std::abs(static_cast<int64_t>(q.bias[c]));
}

Quantised quantise(const Problem& problem) {
  Quantised q{problem.shape, to_values<int8_t>(problem.weights), {}, {}, {}};
  const auto channels = static_cast<size_t>(q.shape.out_channels);
  q.bias = problem.bias != nullptr ? to_values<int32_t>(problem.bias->data) : std::vector<int32_t>(channels, 0);
  q.shape.in_zero = tensor_zero(*problem.input, "input");
  q.shape.out_zero = tensor_zero(*problem.output, "output");
  const IntegerRange range = activation_range(problem.activation, *problem.output);
  q.shape.low = range.low;
  q.shape.high = range.high;
  for (size_t c = 0; c < channels; ++c) {
    const FixedMultiplier fixed = quantize_multiplier(effective_scale(problem, c));
    q.multiplier.push_back(fixed.multiplier);
    q.shift.push_back(narrow<int8_t>(fixed.shift));
    require(sum_bound(q, c) < (int64_t{1} << 31), "can exceed 32 bits in output channel {}; use smaller weights", c);
  }
  return q;
}

Order pixel_order(const Problem& problem, int64_t block, bool reads_first) {
  return problem.pixel_dims == 0 ? Order{} : Order{problem.pixel_dims, block, reads_first};
}

template <class T>
Constant constant_of(std::string name, DType dtype, const std::vector<T>& values) {
  return {std::move(name), dtype, to_bytes(values), true};
}

Call plain_s8(const Problem& problem, const Quantised& q) {
  Call call = make_call(nn::conv2d_s8, "conv2d_s8", "nn/conv2d.hpp", "Conv2d", q.shape,
                        {input(0), constant(0), constant(1), constant(2), constant(3), output(0)});
  call.constants = {constant_of("weights", DType::i8, q.weights), constant_of("bias", DType::i32, q.bias),
                    constant_of("multiplier", DType::i32, q.multiplier), constant_of("shift", DType::i8, q.shift)};
  call.order = pixel_order(problem, 1, false);
  return call;
}

Call plain_f32(const Problem& problem) {
  const nn::Conv2d& s = problem.shape;
  const FloatRange range = activation_range(problem.activation);
  const nn::Conv2dF32 params{s.batches,       s.in_height,      s.in_width,       s.in_channels,     s.out_height,
                             s.out_width,     s.out_channels,   s.kernel_height,  s.kernel_width,    s.group_channels,
                             s.group_outputs, s.stride_height,  s.stride_width,   s.dilation_height, s.dilation_width,
                             s.pad_top,       s.pad_left,       range.low,        range.high};
  Call call = make_call(nn::conv2d_f32, "conv2d_f32", "nn/conv2d.hpp", "Conv2dF32", params,
                        {input(0), constant(0), constant(1), output(0)});
  const std::vector<float> zeros(static_cast<size_t>(s.out_channels), 0.0F);
  call.constants = {{"weights", DType::f32, problem.weights, true},
                    {"bias", DType::f32, problem.bias != nullptr ? problem.bias->data : to_bytes(zeros), true}};
  call.order = pixel_order(problem, 1, false);
  return call;
}

}  // namespace

Call lower_plain(const Problem& problem) {
  if (problem.input->dtype == DType::f32) return plain_f32(problem);
  return plain_s8(problem, quantise(problem));
}

Call lower(const Problem& problem) { return lower_plain(problem); }

}  // namespace mote::convolution
