// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_kernels.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "nn/conv2d_4x4.hpp"
#include "nn/depthwise_conv2d_3x3.hpp"
#include "nn/fully_connected.hpp"

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
  const nn::Conv2dF32 params{s.batches,      s.in_height,       s.in_width,       s.in_channels,
                             s.out_height,   s.out_width,       s.out_channels,   s.kernel_height,
                             s.kernel_width, s.group_channels,  s.group_outputs,  s.stride_height,
                             s.stride_width, s.dilation_height, s.dilation_width, s.pad_top,
                             s.pad_left,     range.low,         range.high};
  Call call = make_call(nn::conv2d_f32, "conv2d_f32", "nn/conv2d.hpp", "Conv2dF32", params,
                        {input(0), constant(0), constant(1), output(0)});
  const std::vector<float> zeros(static_cast<size_t>(s.out_channels), 0.0F);
  call.constants = {{"weights", DType::f32, problem.weights, true},
                    {"bias", DType::f32, problem.bias != nullptr ? problem.bias->data : to_bytes(zeros), true}};
  call.order = pixel_order(problem, 1, false);
  return call;
}

// What nn::Requantize works with: weights, and per channel the bias with the input's zero point folded in.
struct Folded {
  std::vector<int8_t> weights;
  std::vector<int32_t> scales;  // {bias, multiplier} a channel, channels padded to a multiple of four
  std::vector<uint8_t> shift;
};

int32_t output_of(const Quantised& q, size_t c, int64_t sum) {
  const auto x = static_cast<int32_t>(sum);
  const int32_t scaled = nn::multiply_by_quantized_multiplier(x, q.multiplier[c], q.shift[c]);
  return std::clamp(scaled + q.shape.out_zero, q.shape.low, q.shape.high);
}

// The output of a channel whose weights are too small, or whose bias is too large, for the input to matter:
// outputs grow with sums, so it is enough that the ends of the range agree. Trained models hold hundreds of such
// channels, with biases that would not fit the arithmetic of nn::Requantize.
std::optional<int32_t> constant_output(const Quantised& q, size_t c) {
  const int64_t spread = sum_bound(q, c) - std::abs(static_cast<int64_t>(q.bias[c]));
  const int left = std::max<int>(q.shift[c], 0);
  if (sum_bound(q, c) << left > INT32_MAX) return std::nullopt;
  const int32_t least = output_of(q, c, q.bias[c] - spread);
  return least == output_of(q, c, q.bias[c] + spread) ? std::optional(least) : std::nullopt;
}

// False when the channel's numbers do not fit the arithmetic of nn::Requantize.
bool fold_channel(const Quantised& q, size_t c, Folded& folded) {
  const size_t taps = q.weights.size() / q.bias.size();
  const auto weights = folded.weights.begin() + static_cast<ptrdiff_t>(c * taps);
  if (const std::optional<int32_t> output = constant_output(q, c)) {
    std::fill_n(weights, taps, int8_t{0});
    folded.scales[2 * c] = 4 * (*output - q.shape.out_zero);  // times 2^30, divided by 2^30 and 2^2
    folded.scales[2 * c + 1] = 1 << 30;
    folded.shift[c] = 2;
    return true;
  }
  const int64_t bound = sum_bound(q, c);
  const int64_t shift = 1 - q.shift[c];
  if (shift < 2 || shift > 22 || 4 * bound > INT32_MAX) return false;
  if (2 * bound + (int64_t{256} << (shift - 1)) + 4 > INT32_MAX) return false;
  const int64_t weight_sum = std::accumulate(weights, weights + static_cast<ptrdiff_t>(taps), int64_t{0});
  folded.scales[2 * c] = narrow<int32_t>(q.bias[c] - q.shape.in_zero * weight_sum);
  folded.scales[2 * c + 1] = q.multiplier[c];
  folded.shift[c] = static_cast<uint8_t>(shift);
  return true;
}

std::optional<Folded> fold(const Quantised& q) {
  const size_t channels = q.bias.size();
  Folded folded{q.weights, std::vector<int32_t>((channels + 3) / 4 * 8, 0), std::vector<uint8_t>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    if (!fold_channel(q, c, folded)) return std::nullopt;
  }
  return folded;
}

// [out][taps] to [out / 4][taps][4], channels and taps padded with zeros to multiples of 4 and 2.
std::vector<int8_t> pack_by_four(const std::vector<int8_t>& weights, size_t channels) {
  const size_t taps = weights.size() / channels;
  const size_t padded = (taps + 1) / 2 * 2;
  std::vector<int8_t> packed((channels + 3) / 4 * 4 * padded, 0);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t k = 0; k < taps; ++k) packed[(c / 4 * padded + k) * 4 + c % 4] = weights[c * taps + k];
  }
  return packed;
}

std::vector<Constant> folded_constants(const Folded& folded, bool packed) {
  const size_t channels = folded.shift.size();
  const std::vector<int8_t> weights = packed ? pack_by_four(folded.weights, channels) : folded.weights;
  return {constant_of("weights", DType::i8, weights), constant_of("scales", DType::i32, folded.scales),
          constant_of("shift", DType::u8, folded.shift)};
}

bool fits_depthwise_3x3(const nn::Conv2d& s) {
  return s.group_channels == 1 && s.group_outputs == 1 && s.kernel_height == 3 && s.kernel_width == 3 &&
         s.dilation_height == 1 && s.dilation_width == 1 && s.stride_width <= 2;
}

Call depthwise_3x3(const Quantised& q, const Folded& folded) {
  Call call = make_call(nn::depthwise_conv2d_3x3_s8, "depthwise_conv2d_3x3_s8", "nn/depthwise_conv2d_3x3.hpp",
                        "Conv2d", q.shape, {input(0), constant(0), constant(1), constant(2), output(0)});
  call.constants = folded_constants(folded, false);
  call.order = Order{2, 1, false};
  return call;
}

Call dense(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const nn::FullyConnected params{
      s.batches * s.out_height * s.out_width, s.in_channels, s.out_channels, s.out_zero, s.low, s.high};
  Call call = make_call(nn::fully_connected_s8, "fully_connected_s8", "nn/fully_connected.hpp", "FullyConnected",
                        params, {input(0), constant(0), constant(1), constant(2), output(0)});
  call.constants = folded_constants(folded, true);
  call.order = pixel_order(problem, 1, false);
  return call;
}

Call blocks_4x4(const Problem& problem, const Quantised& q, const Folded& folded) {
  Call call = make_call(nn::conv2d_4x4_s8, "conv2d_4x4_s8", "nn/conv2d_4x4.hpp", "Conv2d", q.shape,
                        {input(0), constant(0), constant(1), constant(2), output(0), scratch()});
  call.constants = folded_constants(folded, true);
  const auto taps = static_cast<int64_t>(q.weights.size() / q.bias.size());
  call.scratch_bytes = 4 * align_up(taps, 2);
  call.order = pixel_order(problem, 4, true);
  return call;
}

// A window of one element over the whole input: the pixels are rows of a dense layer.
bool pointwise(const nn::Conv2d& s) {
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 && s.stride_width == 1 &&
         s.in_height == s.out_height && s.in_width == s.out_width;
}

}  // namespace

Call lower_plain(const Problem& problem) {
  if (problem.input->dtype == DType::f32) return plain_f32(problem);
  return plain_s8(problem, quantise(problem));
}

Call lower(const Problem& problem) {
  if (problem.input->dtype == DType::f32) return plain_f32(problem);
  const Quantised q = quantise(problem);
  const std::optional<Folded> folded = fold(q);
  if (!folded) return plain_s8(problem, q);
  const nn::Conv2d& s = q.shape;
  if (s.group_channels == s.in_channels) {
    const int64_t pixels = int64_t{s.batches} * s.out_height * s.out_width;
    return pixels < 4 && pointwise(s) ? dense(problem, q, *folded) : blocks_4x4(problem, q, *folded);
  }
  return fits_depthwise_3x3(s) ? depthwise_3x3(q, *folded) : plain_s8(problem, q);
}

}  // namespace mote::convolution
