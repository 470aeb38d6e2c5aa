// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_vector.hpp"

#include <algorithm>

#include "nn/conv2d_vector.hpp"
#include "nn/depthwise_conv2d_vector.hpp"
#include "nn/fully_connected_vector.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"

namespace mote::convolution {

namespace {

// For each `group` of channels: their biases, their multipliers, then a byte of shift each; place(i) says where
// the i-th channel of a group stands.
template <class Place>
std::vector<int32_t> grouped_scales(const Folded& folded, size_t group, const Place& place) {
  const size_t channels = folded.shift.size();
  Bytes bytes;
  for (size_t c = 0; c < channels; c += group) {
    std::vector<int32_t> numbers(2 * group, 0);
    std::vector<int8_t> shifts(group, -1);
    for (size_t i = 0; i < group && c + i < channels; ++i) {
      const size_t at = place(i);
      numbers[at] = folded.scales[2 * (c + i)];
      numbers[group + at] = folded.scales[2 * (c + i) + 1];
      shifts[at] = static_cast<int8_t>(1 - folded.shift[c + i]);
    }
    for (const Bytes& part : {to_bytes(numbers), to_bytes(shifts)}) {
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  }
  return to_values<int32_t>(bytes);
}

}  // namespace

// As nn::VectorBlock has them. The last vector of weights may be loaded whole: 16 bytes stand behind them.
std::vector<int8_t> vector_weights(const Folded& folded) {
  const size_t channels = folded.shift.size();
  const size_t taps = folded.weights.size() / channels;
  const size_t whole = taps / 16 * 16;
  const size_t tail = (taps - whole + 3) / 4 * 4;
  std::vector<int8_t> packed;
  const auto append = [&](size_t c, size_t first, size_t count) {
    for (size_t k = first; k < first + count; ++k) {
      packed.push_back(c < channels && k < taps ? folded.weights[c * taps + k] : int8_t{0});
    }
  };
  for (size_t c = 0; c < channels; c += 4) {
    for (size_t k = 0; k < whole; k += 16) {
      for (size_t i = c; i < c + 4; ++i) append(i, k, 16);
    }
    for (size_t i = c; i < c + 4; ++i) append(i, whole, tail);
  }
  packed.insert(packed.end(), 16, int8_t{0});
  return packed;
}

std::vector<int32_t> vector_scales(const Folded& folded) {
  return grouped_scales(folded, 4, [](size_t i) { return i; });
}

namespace {

struct PerUnit {
  double mac, output, pixel;
};

struct CodeBytes {
  double own, shared;
};

// What the kernels take, and what a copy with constant parameters saves of it a pixel.
Estimate estimate(const nn::Conv2d& s, const PerUnit& costs, double saved, const CodeBytes& code) {
  const auto pixels = static_cast<double>(pixels_of(s));
  const double instructions =
      costs.mac * static_cast<double>(macs(s)) + (costs.output * s.out_channels + costs.pixel) * pixels;
  return {instructions, saved * pixels, code.own, code.shared};
}

Call vector_dense(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const nn::FullyConnected params{s.batches * s.out_height * s.out_width, s.in_channels, outputs_of(s)};
  Call call =
      make_call(nn::fully_connected_vector_s8, "fully_connected_vector_s8", "nn/fully_connected_vector.hpp",
                "FullyConnected", params, {input(0), constant(0), constant(1), output(0)});
  call.constants = {constant_of("weights", DType::i8, vector_weights(folded)),
                    constant_of("scales", DType::i32, vector_scales(folded))};
  call.order = pixel_order(problem, 1, false);
  call.estimate = estimate(s, {0.16, 12, 20}, 0, {90, 150});
  call.estimate.own_saves = 35;
  return call;
}

Call vector_blocks(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  Call call = make_call(nn::conv2d_vector_s8, "conv2d_vector_s8", "nn/conv2d_vector.hpp", "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0), scratch()});
  call.constants = {constant_of("weights", DType::i8, vector_weights(folded)),
                    constant_of("scales", DType::i32, vector_scales(folded))};
  call.scratch_bytes = 2 * static_cast<int64_t>(q.weights.size() / q.bias.size());
  call.order = pixel_order(problem, 2, true);
  call.estimate = estimate(s, {0.07, 14, 105}, 85, {800, 750});
  return call;
}

// The first channels of two pixels are written before their values are read for the last ones.
Call vector_pointwise(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  Call call = make_call(nn::conv2d_pointwise_vector_s8, "conv2d_pointwise_vector_s8", "nn/conv2d_vector.hpp",
                        "Conv2d", s, {input(0), constant(0), constant(1), output(0)});
  call.constants = {constant_of("weights", DType::i8, vector_weights(folded)),
                    constant_of("scales", DType::i32, vector_scales(folded))};
  call.order = pixel_order(problem, 2, false);
  call.estimate = estimate(s, {0.07, 14, 30}, 25, {135, 175});
  return call;
}

bool fits_depthwise(const Quantised& q, const Folded& folded) {
  return q.shape.group_channels == 1 && q.shape.group_outputs == 1 &&
         std::find(folded.weights.begin(), folded.weights.end(), int8_t{-128}) == folded.weights.end();
}

Call vector_depthwise(const Problem& problem, const Quantised& q, const Folded& folded) {
  const nn::Conv2d& s = q.shape;
  const size_t channels = folded.shift.size();
  const size_t taps = folded.weights.size() / channels;
  const size_t padded = (taps + 1) / 2 * 2;
  std::vector<int8_t> weights((channels + 15) / 16 * 16 * padded, 0);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t k = 0; k < taps; ++k) weights[(c / 16 * padded + k) * 16 + c % 16] = folded.weights[c * taps + k];
  }
  const auto lane = [](size_t i) { return static_cast<size_t>(nn::vector_lane(static_cast<int32_t>(i))); };
  Call call =
      make_call(nn::depthwise_conv2d_vector_s8, "depthwise_conv2d_vector_s8", "nn/depthwise_conv2d_vector.hpp",
                "Conv2d", s, {input(0), constant(0), constant(1), output(0), scratch()});
  call.constants = {constant_of("weights", DType::i8, weights),
                    constant_of("scales", DType::i32, grouped_scales(folded, 16, lane))};
  call.scratch_bytes = static_cast<int64_t>(8 * padded + channels);
  call.order = pixel_order(problem, 1, false);
  call.estimate = estimate(s, {1, 3, 220}, 45, {450, 550});
  return call;
}

}  // namespace

std::optional<Call> lower_vector(const Problem& problem, const Quantised& q, const Folded& folded) {
  if (fits_depthwise(q, folded)) return vector_depthwise(problem, q, folded);
  if (q.shape.group_channels != q.shape.in_channels) return std::nullopt;
  if (few_rows(q.shape)) return vector_dense(problem, q, folded);
  return pointwise(q.shape) ? vector_pointwise(problem, q, folded) : vector_blocks(problem, q, folded);
}

}  // namespace mote::convolution
