// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_quantised.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "ir/packed_i4.hpp"
#include "ops/convolution.hpp"

namespace mote::convolution {

namespace {

// TensorFlow Lite multiplies the scales in double for convolutions and per-channel dense layers.
double effective_scale(const Problem& problem, size_t channel) {
  const float input = tensor_scale(*problem.input, "input");
  const float output = tensor_scale(*problem.output, "output");
  const std::vector<float>& scales = problem.weights->type.quant.scale;
  const float weight = scales.size() == 1 ? scales[0] : scales[channel];
  const double product = problem.float_product ? static_cast<double>(input * weight)
                                               : static_cast<double>(input) * static_cast<double>(weight);
  return product / static_cast<double>(output);
}

std::vector<int64_t> bias_values(const Problem& problem, size_t channels) {
  if (problem.bias == nullptr) return std::vector<int64_t>(channels, 0);
  const auto widen = [](const auto& values) { return std::vector<int64_t>(values.begin(), values.end()); };
  const Bytes& data = problem.bias->data;
  switch (problem.bias->type.dtype) {
    case DType::i16: return widen(to_values<int16_t>(data));
    case DType::i32: return widen(to_values<int32_t>(data));
    case DType::i64: return to_values<int64_t>(data);
    case DType::i8:
    case DType::u8:
    case DType::u16:
    case DType::u32:
    case DType::u64:
    case DType::f32:
    case DType::boolean:
    case DType::i4:
    case DType::i2: break;
  }
  fail("has biases of type {}, they must be i32 or i64", name(problem.bias->type.dtype));
}

int32_t output_of(const Quantised& q, size_t c, int64_t sum) {
  const auto x = static_cast<int32_t>(sum);
  const int32_t scaled = nn::multiply_by_quantized_multiplier(x, q.multiplier[c], q.shift[c]);
  return std::clamp(scaled + q.shape.out_zero, q.shape.low, q.shape.high);
}

// The output of a channel whose weights are too small, or whose bias is too large, for the input to matter:
// outputs grow with sums, so it is enough that the ends of the range agree. Trained models hold hundreds of such
// channels, with biases that would not fit the arithmetic of nn::Requantize.
std::optional<int32_t> constant_output(const Quantised& q, size_t c) {
  const int64_t spread = products_bound(q, c);
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

}  // namespace

std::vector<int16_t> integer_weights(const Tensor& weights, int64_t channels, bool channels_last) {
  std::vector<int8_t> stored =
      weights.type.dtype == DType::i4 ? i4_values(weights) : to_values<int8_t>(weights.data);
  if (channels_last) stored = channels_first(stored, channels);
  std::vector<int16_t> values(stored.begin(), stored.end());
  const std::vector<int32_t>& zeros = weights.type.quant.zero;
  const size_t taps = values.size() / static_cast<size_t>(channels);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<int16_t>(values[i] - zeros[zeros.size() == 1 ? 0 : i / taps]);
  }
  return values;
}

bool fits_int8(const std::vector<int16_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int16_t value) { return value >= -128 && value <= 127; });
}

int64_t products_bound(const Quantised& q, size_t c) {
  const size_t taps = q.weights.size() / q.bias.size();
  int64_t magnitude = 0;
  for (size_t i = 0; i < taps; ++i) magnitude += std::abs(static_cast<int64_t>(q.weights[c * taps + i]));
  return magnitude * q.reach;
}

int64_t sum_bound(const Quantised& q, size_t c) { return products_bound(q, c) + std::abs(q.bias[c]); }

Quantised quantise(const Problem& problem) {
  Quantised q{problem.shape, 0, {}, {}, {}, {}};
  const auto channels = static_cast<size_t>(q.shape.out_channels);
  if (problem.weights->constant()) {
    q.weights = integer_weights(*problem.weights, q.shape.out_channels, problem.channels_last);
  }
  q.bias = bias_values(problem, channels);
  q.shape.in_zero = tensor_zero(*problem.input, "input");
  q.shape.out_zero = tensor_zero(*problem.output, "output");
  q.reach = problem.input->dtype == DType::i16 ? 32768 : std::max(q.shape.in_zero + 128, 127 - q.shape.in_zero);
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

std::optional<Folded> fold(const Quantised& q) {
  if (!fits_int8(q.weights)) return std::nullopt;
  const size_t channels = q.bias.size();
  Folded folded{std::vector<int8_t>(q.weights.begin(), q.weights.end()),
                std::vector<int32_t>((channels + 3) / 4 * 8, 0), std::vector<uint8_t>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    if (!fold_channel(q, c, folded)) return std::nullopt;
  }
  return folded;
}

std::optional<std::vector<int32_t>> fold16(const Quantised& q) {
  std::vector<int32_t> scales;
  for (size_t c = 0; c < q.bias.size(); ++c) {
    if (sum_bound(q, c) > INT32_MAX || q.shift[c] > -2 || q.shift[c] < -18) return std::nullopt;
    const auto reduced =
        static_cast<int32_t>(std::min((int64_t{q.multiplier[c]} + (1 << 15)) >> 16, int64_t{0x7FFF}));
    scales.push_back(static_cast<int32_t>(q.bias[c]));
    scales.push_back(reduced << (18 + q.shift[c]));
  }
  return scales;
}

}  // namespace mote::convolution
