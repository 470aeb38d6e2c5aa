// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_quantised.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "ir/packed_i4.hpp"
#include "nn/requantize.hpp"
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

// The products of channel `c`, whatever the input.
struct Reach {
  int64_t low, high;
};
Reach products_reach(const Quantised& q, size_t c) {
  const size_t taps = q.weights.size() / q.bias.size();
  const int64_t least = -128 - int64_t{q.shape.in_zero}, most = 127 - int64_t{q.shape.in_zero};
  Reach reach{0, 0};
  for (size_t i = c * taps; i < (c + 1) * taps; ++i) {
    const int64_t weight = q.weights[i];
    reach.low += std::min(weight * least, weight * most);
    reach.high += std::max(weight * least, weight * most);
  }
  return reach;
}

// The outputs at both ends of what a channel's sums may be; outputs grow with sums. Nothing where a step of them
// may exceed 32 bits.
std::optional<Reach> output_reach(const Quantised& q, size_t c) {
  const Reach reach = products_reach(q, c);
  const int64_t low = q.bias[c] + reach.low, high = q.bias[c] + reach.high;
  const int left = std::max<int>(q.shift[c], 0);
  if (std::max(std::abs(low), std::abs(high)) << left > INT32_MAX) return std::nullopt;
  return Reach{output_of(q, c, low), output_of(q, c, high)};
}

// The output of a channel whose weights are too small, or whose bias is too large, for the input to matter.
// Trained models hold hundreds of such channels, with biases that would not fit the arithmetic of nn::Requantize.
std::optional<int32_t> constant_output(const Quantised& q, size_t c) {
  const std::optional<Reach> outputs = output_reach(q, c);
  if (!outputs || outputs->low != outputs->high) return std::nullopt;
  return static_cast<int32_t>(outputs->low);
}

// Whether sums of that magnitude fit every step of nn::Requantize.
bool fits_requantize(int64_t bound, int64_t shift) {
  return shift >= 2 && shift <= 22 && 4 * bound <= INT32_MAX &&
         2 * bound + (int64_t{256} << (shift - 1)) + 4 <= INT32_MAX;
}

// The least number in (low, high] for which `reached`, which is false up to some number and true from there on.
template <class Reached>
int64_t least_reached(int64_t low, int64_t high, const Reached& reached) {
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (reached(middle) ? high : low) = middle;
  }
  return high;
}

// Numbers of nn::Requantize for a channel whose products take its output over one step at most, so that all that
// matters is where the step lies: it may have another bias and multiplier. Of such channels a model holds a few,
// too, and without this one of them would cost its layer the fast kernels.
struct Step {
  int64_t bias;
  int64_t shift;  // the multiplier is 2^30
};
std::optional<Step> single_step(const Quantised& q, size_t c) {
  const std::optional<Reach> outputs = output_reach(q, c);
  if (!outputs || outputs->high - outputs->low != 1) return std::nullopt;
  const auto first = static_cast<int32_t>(outputs->low), last = static_cast<int32_t>(outputs->high);
  const Reach reach = products_reach(q, c);
  const int64_t step = least_reached(
      reach.low, reach.high, [&](int64_t products) { return output_of(q, c, q.bias[c] + products) == last; });
  for (int64_t shift = 2; shift <= 22; ++shift) {
    const nn::Requantize requantize(1 << 30, static_cast<int32_t>(shift), q.shape.out_zero);
    const auto output = [&](int64_t sum) {
      return requantize(static_cast<int32_t>(sum), q.shape.out_zero, q.shape.low, q.shape.high);
    };
    const int64_t most = int64_t{1} << 28;
    if (output(-most) >= last || output(most) < last) continue;
    const int64_t bias = least_reached(-most, most, [&](int64_t sum) { return output(sum) >= last; }) - step;
    if (!fits_requantize(products_bound(q, c) + std::abs(bias), shift)) continue;
    if (output(bias + reach.low) == first && output(bias + reach.high) == last) return Step{bias, shift};
  }
  return std::nullopt;
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
  int64_t bias = q.bias[c], shift = 1 - q.shift[c];
  int32_t multiplier = q.multiplier[c];
  if (!fits_requantize(sum_bound(q, c), shift)) {
    const std::optional<Step> step = single_step(q, c);
    if (!step) return false;
    bias = step->bias, shift = step->shift, multiplier = 1 << 30;
  }
  const int64_t weight_sum = std::accumulate(weights, weights + static_cast<ptrdiff_t>(taps), int64_t{0});
  folded.scales[2 * c] = narrow<int32_t>(bias - q.shape.in_zero * weight_sum);
  folded.scales[2 * c + 1] = multiplier;
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

namespace {

// `channel(c, folded)` folds one and says whether that was possible.
template <class Channel>
std::optional<Folded> fold_channels(const Quantised& q, const Channel& channel) {
  if (!fits_int8(q.weights)) return std::nullopt;
  const size_t channels = q.bias.size();
  Folded folded{std::vector<int8_t>(q.weights.begin(), q.weights.end()),
                std::vector<int32_t>((channels + 3) / 4 * 8, 0), std::vector<uint8_t>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    if (!channel(c, folded)) return std::nullopt;
  }
  return folded;
}

}  // namespace

std::optional<Folded> fold(const Quantised& q) {
  return fold_channels(q, [&](size_t c, Folded& folded) { return fold_channel(q, c, folded); });
}

std::optional<Folded> fold_exact(const Quantised& q) {
  return fold_channels(q, [&](size_t c, Folded& folded) {
    const size_t taps = q.weights.size() / q.bias.size();
    const auto weights = folded.weights.begin() + static_cast<ptrdiff_t>(c * taps);
    const int64_t sum = std::accumulate(weights, weights + static_cast<ptrdiff_t>(taps), int64_t{0});
    // The input's zero point is taken off beforehand: 256 a weight is the most that any step has.
    if (sum_bound(q, c) + 256 * products_bound(q, c) / std::max<int64_t>(q.reach, 1) > INT32_MAX) return false;
    folded.scales[2 * c] = narrow<int32_t>(q.bias[c] - q.shape.in_zero * sum);
    folded.scales[2 * c + 1] = q.multiplier[c];
    folded.shift[c] = static_cast<uint8_t>(1 - q.shift[c]);
    return true;
  });
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
