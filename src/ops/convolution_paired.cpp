// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_paired.hpp"

#include <algorithm>

#include "nn/conv2d_paired.hpp"
#include "nn/depthwise_conv2d_3x3_paired.hpp"
#include "nn/depthwise_conv2d_paired.hpp"
#include "nn/fully_connected_paired.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"

namespace mote::convolution {

namespace {

constexpr int64_t no_tap = -1;

// The tap at each place, two places a pair, as nn::widen() has them.
std::vector<int64_t> paired_order(int64_t taps) {
  std::vector<int64_t> order;
  int64_t k = 0;
  for (; k + 4 <= taps; k += 4) order.insert(order.end(), {k, k + 2, k + 1, k + 3});
  switch (taps - k) {
    case 1: order.insert(order.end(), {k, no_tap}); break;
    case 2: order.insert(order.end(), {k, k + 1}); break;
    case 3: order.insert(order.end(), {k, k + 2, k + 1, no_tap}); break;
    default: break;
  }
  return order;
}

// The same for words of four bytes.
std::vector<int64_t> dense_order(int64_t taps) {
  std::vector<int64_t> order;
  for (int64_t k = 0; k < taps; k += 4) {
    for (const int64_t tap : {k, k + 2, k + 1, k + 3}) order.push_back(tap < taps ? tap : no_tap);
  }
  return order;
}

// Even channels, the upper halves of a pair, need sums below 2^23, whatever the input.
bool fits_upper_half(const Folded& folded, size_t c, size_t taps) {
  int64_t least = folded.scales[2 * c], most = least;
  for (size_t k = 0; k < taps; ++k) {
    const int64_t weight = folded.weights[c * taps + k];
    least += std::min(-128 * weight, 127 * weight);
    most += std::max(-128 * weight, 127 * weight);
  }
  return least >= -(int64_t{1} << 23) && most < int64_t{1} << 23;
}

// [channels / 4][pairs][channel pair][2] of 256 * even channel + odd channel; nothing where 16 bits do not hold
// it.
std::optional<std::vector<int16_t>> pair_weights(const Folded& folded, const std::vector<int64_t>& order) {
  const size_t channels = folded.shift.size();
  const size_t taps = folded.weights.size() / channels;
  for (size_t c = 0; c < channels; c += 2) {
    if (!fits_upper_half(folded, c, taps)) return std::nullopt;
  }
  const auto weight = [&](size_t c, int64_t tap) {
    return c < channels && tap != no_tap ? folded.weights[c * taps + static_cast<size_t>(tap)] : 0;
  };
  std::vector<int16_t> packed;
  for (size_t c = 0; c < channels; c += 4) {
    for (size_t place = 0; place < order.size(); place += 2) {
      for (size_t i = 0; i < 4; ++i) {
        const size_t upper = c + i / 2 * 2;
        const int64_t tap = order[place + i % 2];
        const int both = 256 * weight(upper, tap) + weight(upper + 1, tap);
        if (both < INT16_MIN) return std::nullopt;
        packed.push_back(narrow<int16_t>(both));
      }
    }
  }
  return packed;
}

// As nn::requantize_paired has it; `shift` is that of nn::Requantize.
int32_t rounding_offset(int shift, int32_t out_zero) { return (2 * out_zero + 1) * (1 << (shift - 2)); }

// For four channels: {256 a + b, b} of both pairs of biases, modulo 2^32; {multiplier, offset} of each channel.
std::vector<int32_t> paired_scales(const Folded& folded, int32_t out_zero) {
  const size_t channels = folded.shift.size();
  std::vector<int32_t> scales;
  for (size_t c = 0; c < channels; c += 4) {
    for (size_t i = c; i < c + 4; i += 2) {
      const auto upper = static_cast<uint32_t>(folded.scales[2 * i]);
      const auto lower = static_cast<uint32_t>(folded.scales[2 * i + 2]);
      scales.push_back(static_cast<int32_t>(256 * upper + lower));
      scales.push_back(static_cast<int32_t>(lower));
    }
    for (size_t i = c; i < c + 4; ++i) {
      scales.push_back(folded.scales[2 * i + 1]);
      scales.push_back(rounding_offset(i < channels ? folded.shift[i] : 2, out_zero));
    }
  }
  return scales;
}

std::optional<Call> paired_dense(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const std::optional<std::vector<int16_t>> weights = pair_weights(folded, dense_order(s.in_channels));
  if (!weights || s.out_channels > UINT16_MAX) return std::nullopt;
  const nn::FullyConnected params{s.batches * s.out_height * s.out_width, s.in_channels, outputs_of(s)};
  Call call =
      make_call(nn::fully_connected_paired_s8, "fully_connected_paired_s8", "nn/fully_connected_paired.hpp",
                "FullyConnected", params, {input(0), constant(0), constant(1), output(0)});
  call.constants = {constant_of("weights", DType::i16, *weights),
                    constant_of("scales", DType::i32, paired_scales(folded, s.out_zero))};
  call.order = pixel_order(problem, 1, false);
  call.estimate = {
      .instructions = 1.2 * static_cast<double>(macs(s)), .own_saves = 40, .own_bytes = 60, .shared_bytes = 200};
  return call;
}

std::optional<Call> paired_blocks(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const auto taps = static_cast<int64_t>(q.weights.size() / q.bias.size());
  const std::optional<PairedConstants> constants = paired_constants(folded, s.out_zero);
  if (!constants) return std::nullopt;
  Call call = make_call(nn::conv2d_paired_s8, "conv2d_paired_s8", "nn/conv2d_paired.hpp", "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0), scratch()});
  call.constants = {constant_of("weights", DType::i16, constants->weights),
                    constant_of("scales", DType::i32, constants->scales)};
  call.scratch_bytes = (taps + 1) / 2 * 8 + (s.in_channels % 4 == 0 ? 0 : taps);
  call.order = pixel_order(problem, 2, true);
  const auto pixels = static_cast<double>(pixels_of(s));
  const bool pointwise = s.kernel_height * s.kernel_width == 1;
  call.estimate = {.instructions = 0.8 * static_cast<double>(macs(s)) + 8 * pixels * s.out_channels +
                                   (85 + 2 * static_cast<double>(taps)) * pixels,
                   .own_saves = (pointwise ? 60 : 85) * pixels,
                   .own_bytes = pointwise ? 300.0 : 650.0,
                   .shared_bytes = 1700};
  return call;
}

bool fits_depthwise_rows(const nn::Conv2d& s) {
  const int64_t beyond = int64_t{s.out_width - 1} * s.stride_width + 3 - s.pad_left - s.in_width;
  return fits_depthwise_3x3(s) && s.in_width >= 2 && s.pad_left <= 1 && beyond <= 1 && s.low == -128 &&
         s.high == 127;
}

Call paired_rows(const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  std::vector<int8_t> weights(folded.weights.size());
  std::vector<int32_t> scales;
  for (size_t c = 0; c < folded.shift.size(); ++c) {
    for (int32_t k = 0; k < 9; ++k) {
      weights[9 * c + static_cast<size_t>(nn::depthwise_place(k / 3, k % 3))] =
          folded.weights[9 * c + static_cast<size_t>(k)];
    }
    scales.insert(scales.end(),
                  {folded.scales[2 * c], folded.scales[2 * c + 1], rounding_offset(folded.shift[c], s.out_zero)});
  }
  Call call = make_call(nn::depthwise_conv2d_3x3_paired_s8, "depthwise_conv2d_3x3_paired_s8",
                        "nn/depthwise_conv2d_3x3_paired.hpp", "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0)});
  call.constants = {constant_of("weights", DType::i8, weights), constant_of("scales", DType::i32, scales)};
  call.order = Order{2, 1, false};
  // Its rows are one function's for all layers.
  call.estimate = {.instructions = 2.8 * static_cast<double>(macs(s)), .own_saves = 0};
  return call;
}

// Any other window.
bool fits_depthwise(const nn::Conv2d& s) {
  return s.group_channels == 1 && s.group_outputs == 1 && s.in_channels % 4 == 0;
}

Call paired_windows(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const size_t channels = folded.shift.size();
  const size_t taps = folded.weights.size() / channels;
  const size_t even = (taps + 1) / 2 * 2;
  std::vector<int16_t> weights(channels * even, 0);
  std::vector<int32_t> scales(3 * channels, 0);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t k = 0; k < taps; ++k) {
      weights[(c / 4 * even + k / 2 * 2) * 4 + c % 4 * 2 + k % 2] = folded.weights[c * taps + k];
    }
    int32_t* const group = &scales[c / 4 * 12];
    group[c % 4] = folded.scales[2 * c];
    group[4 + c % 4 * 2] = folded.scales[2 * c + 1];
    group[5 + c % 4 * 2] = rounding_offset(folded.shift[c], s.out_zero);
  }
  Call call =
      make_call(nn::depthwise_conv2d_paired_s8, "depthwise_conv2d_paired_s8", "nn/depthwise_conv2d_paired.hpp",
                "Conv2d", s, {input(0), constant(0), constant(1), output(0), scratch()});
  call.constants = {constant_of("weights", DType::i16, weights), constant_of("scales", DType::i32, scales)};
  call.scratch_bytes = static_cast<int64_t>(8 * even + channels);
  call.order = pixel_order(problem, 1, false);
  const auto products = static_cast<double>(macs(s));
  call.estimate = {
      .instructions = 2.8 * products, .own_saves = 0.08 * products, .own_bytes = 550, .shared_bytes = 560};
  return call;
}

}  // namespace

std::optional<PairedConstants> paired_constants(const Folded& folded, int32_t out_zero) {
  const auto taps = static_cast<int64_t>(folded.weights.size() / folded.shift.size());
  std::optional<std::vector<int16_t>> weights = pair_weights(folded, paired_order(taps));
  if (!weights) return std::nullopt;
  return PairedConstants{*std::move(weights), paired_scales(folded, out_zero)};
}

std::optional<Call> lower_paired(const Problem& problem, const Quantised& q, const Folded& folded) {
  if (fits_depthwise_rows(q.shape)) return paired_rows(q, folded);
  if (fits_depthwise(q.shape)) return paired_windows(problem, q, folded);
  if (q.shape.group_channels != q.shape.in_channels) return std::nullopt;
  return few_rows(q.shape) ? paired_dense(problem, q, folded) : paired_blocks(problem, q, folded);
}

}  // namespace mote::convolution
