// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_s16.hpp"

#include "nn/conv2d_4x4_s16.hpp"
#include "nn/conv2d_paired_s16.hpp"
#include "nn/conv2d_vector_s16.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"

namespace mote::convolution {

namespace {

// Of blocks of four channels by four pixels so few fill too little.
constexpr size_t least_channels = 3;

struct Layer {
  const std::vector<int8_t>& weights;
  const std::vector<int32_t>& scales;
  size_t channels, taps;

  [[nodiscard]] int8_t at(size_t channel, size_t tap) const {
    return channel < channels && tap < taps ? weights[channel * taps + tap] : int8_t{0};
  }
};

// {bias, multiplier} a channel, of as many as fill blocks.
std::vector<int32_t> by_channel(std::vector<int32_t> scales) {
  scales.resize((scales.size() + 7) / 8 * 8);
  return scales;
}

// Four biases, then their multipliers.
std::vector<int32_t> by_four_channels(const std::vector<int32_t>& scales) {
  const std::vector<int32_t> padded = by_channel(scales);
  std::vector<int32_t> grouped;
  for (size_t c = 0; c < padded.size(); c += 8) {
    for (size_t kind = 0; kind < 2; ++kind) {
      for (size_t i = kind; i < 8; i += 2) grouped.push_back(padded[c + i]);
    }
  }
  return grouped;
}

// As nn::Paired16 has them.
std::vector<int8_t> paired_weights(const Layer& layer) {
  std::vector<int8_t> packed;
  for (size_t c = 0; c < layer.channels; c += 4) {
    for (size_t tap = 0; tap < layer.taps; tap += 2) {
      for (size_t i = 0; i < 8; ++i) packed.push_back(layer.at(c + i / 4 * 2 + i % 2, tap + i / 2 % 2));
    }
  }
  return packed;
}

// As nn::VectorBlock16 has them; the last vector may be loaded whole.
std::vector<int8_t> vector_weights(const Layer& layer) {
  const size_t whole = layer.taps / 8 * 8;
  std::vector<int8_t> packed;
  for (size_t c = 0; c < layer.channels; c += 4) {
    for (size_t tap = 0; tap < layer.taps; tap += 8) {
      const size_t together = tap < whole ? 8 : layer.taps - whole;
      for (size_t i = 0; i < 4 * together; ++i) packed.push_back(layer.at(c + i / together, tap + i % together));
    }
  }
  packed.insert(packed.end(), 8, int8_t{0});
  return packed;
}

// The rows of a dense layer as pixels of one image.
nn::Conv2d rows_of(nn::Conv2d s) {
  s.in_width = s.out_width = s.batches * s.out_height * s.out_width;
  s.batches = s.in_height = s.out_height = 1;
  return s;
}

Call finished(const Problem& problem, Call call, const std::vector<int8_t>& weights,
              const std::vector<int32_t>& scales) {
  call.constants = {constant_of("weights", DType::i8, weights), constant_of("scales", DType::i32, scales)};
  call.order = pixel_order(problem, 1, false);
  call.estimate.own_saves = 0;
  return call;
}

template <class Kernel>
Call dense(Kernel kernel, const char* function, const char* header, const nn::Conv2d& s) {
  return make_call(kernel, function, header, "Conv2d", rows_of(s),
                   {input(0), constant(0), constant(1), output(0)});
}

Call blocks(const Problem& problem, Call call, int64_t pixels, int64_t taps_together, const Layer& layer) {
  call.scratch_bytes = 2 * pixels * align_up(static_cast<int64_t>(layer.taps), taps_together);
  call.order = pixel_order(problem, pixels, true);
  return call;
}

Call lower_4x4(const Problem& problem, const nn::Conv2d& s, const Layer& layer) {
  const std::vector<int8_t> weights = pack_by_four(layer.weights, layer.channels);
  const std::vector<int32_t> scales = by_channel(layer.scales);
  constexpr const char* header = "nn/conv2d_4x4_s16.hpp";
  if (few_rows(s)) {
    return finished(problem, dense(nn::fully_connected_s16, "fully_connected_s16", header, s), weights, scales);
  }
  Call call = make_call(nn::conv2d_4x4_s16, "conv2d_4x4_s16", header, "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0), scratch()});
  return blocks(problem, finished(problem, std::move(call), weights, scales), 4, 2, layer);
}

Call lower_pairs(const Problem& problem, const nn::Conv2d& s, const Layer& layer) {
  const std::vector<int8_t> weights = paired_weights(layer);
  const std::vector<int32_t> scales = by_four_channels(layer.scales);
  constexpr const char* header = "nn/conv2d_paired_s16.hpp";
  if (few_rows(s)) {
    return finished(problem, dense(nn::fully_connected_paired_s16, "fully_connected_paired_s16", header, s),
                    weights, scales);
  }
  Call call = make_call(nn::conv2d_paired_s16, "conv2d_paired_s16", header, "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0), scratch()});
  return blocks(problem, finished(problem, std::move(call), weights, scales), 2, 2, layer);
}

Call lower_vectors(const Problem& problem, const nn::Conv2d& s, const Layer& layer) {
  const std::vector<int8_t> weights = vector_weights(layer);
  const std::vector<int32_t> scales = by_four_channels(layer.scales);
  constexpr const char* header = "nn/conv2d_vector_s16.hpp";
  if (pointwise(s)) {
    Call call = make_call(nn::conv2d_pointwise_vector_s16, "conv2d_pointwise_vector_s16", header, "Conv2d", s,
                          {input(0), constant(0), constant(1), output(0)});
    call = finished(problem, std::move(call), weights, scales);
    call.order = pixel_order(problem, 2, false);
    return call;
  }
  Call call = make_call(nn::conv2d_vector_s16, "conv2d_vector_s16", header, "Conv2d", s,
                        {input(0), constant(0), constant(1), output(0), scratch()});
  return blocks(problem, finished(problem, std::move(call), weights, scales), 2, 1, layer);
}

}  // namespace

Constants16 constants_s16(const std::vector<int8_t>& weights, const std::vector<int32_t>& scales,
                          const Core& core) {
  const size_t channels = scales.size() / 2;
  const Layer layer{weights, scales, channels, weights.size() / channels};
  if (core.mve) return {vector_weights(layer), by_four_channels(scales)};
  if (core.dsp) return {paired_weights(layer), by_four_channels(scales)};
  return {pack_by_four(weights, channels), by_channel(scales)};
}

std::optional<Call> lower_blocks_s16(const Problem& problem, const nn::Conv2d& s,
                                     const std::vector<int8_t>& weights, const std::vector<int32_t>& scales,
                                     const Core& core) {
  if (s.group_channels == 1 && s.in_channels > 1) return lower_depthwise_s16(s, weights, scales);
  if (s.group_channels != s.in_channels) return std::nullopt;
  const size_t channels = scales.size() / 2;
  const Layer layer{weights, scales, channels, weights.size() / channels};
  if (core.mve) return lower_vectors(problem, s, layer);
  if (core.dsp) return lower_pairs(problem, s, layer);
  return channels < least_channels ? std::nullopt : std::optional(lower_4x4(problem, s, layer));
}

}  // namespace mote::convolution
