// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_narrow.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "nn/conv2d_narrow.hpp"
#include "nn/fully_connected_narrow.hpp"
#include "nn/fully_connected_ternary.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"

namespace mote::convolution {

namespace {

// Below so many output channels, filling the tables of sums takes longer than the multiplications do.
constexpr int32_t least_ternary_channels = 32;

// Below so many taps the loops of bytes are faster; the layer's weights are few, too.
constexpr size_t least_taps = 16;

// Weights of the layer, [out][taps]; taps beyond the last are 0.
struct Weights {
  const Folded& folded;
  size_t channels, taps;

  explicit Weights(const Folded& f) : folded(f), channels(f.shift.size()), taps(f.weights.size() / channels) {}

  [[nodiscard]] int at(size_t channel, size_t tap) const {
    return channel < channels && tap < taps ? folded.weights[channel * taps + tap] : 0;
  }
  [[nodiscard]] bool within(int low, int high) const {
    return std::all_of(folded.weights.begin(), folded.weights.end(),
                       [&](int8_t weight) { return weight >= low && weight <= high; });
  }
};

// [out / 4][words] of nn::NarrowWeights.
std::vector<uint32_t> pack_narrow(const Weights& weights, int bits) {
  const auto taps_per_word = static_cast<size_t>(8 / bits);
  std::vector<uint32_t> words;
  for (size_t channel = 0; channel < weights.channels; channel += 4) {
    for (size_t first = 0; first < weights.taps; first += taps_per_word) {
      uint32_t word = 0;
      for (size_t i = 0; i < 4 * taps_per_word; ++i) {
        const size_t field = i % 4, place = static_cast<size_t>(bits) * (2 * (i / 4) + field / 2) + field % 2 * 16;
        const int value = weights.at(channel + field, first + i / 4) + (1 << (bits - 1));
        word |= static_cast<uint32_t>(value) << place;
      }
      words.push_back(word);
    }
  }
  return words;
}

// How many words' products fit 16 bits whatever the inputs, from any word and in any channel on. The kernels that
// add weights with their offsets take them away before the halves come apart.
uint16_t chunk_of(const Weights& weights, int bits) {
  const auto taps_per_word = static_cast<size_t>(8 / bits);
  size_t chunk = UINT16_MAX;
  for (size_t channel = 0; channel < weights.channels; ++channel) {
    size_t first = 0;
    int64_t magnitude = 0;  // of the words from `first` to before `end`
    const auto word = [&](size_t index) {
      int64_t sum = 0;
      for (size_t i = 0; i < taps_per_word; ++i) sum += std::abs(weights.at(channel, index * taps_per_word + i));
      return sum;
    };
    for (size_t end = 0; end * taps_per_word < weights.taps; ++end) {
      magnitude += word(end);
      while (magnitude * 128 > INT16_MAX) {
        chunk = std::min(chunk, end - first);
        magnitude -= word(first++);
      }
    }
  }
  return narrow<uint16_t>(chunk);
}

Constant narrow_constants(const Folded& folded, const Weights& weights, int bits) {
  std::vector<uint32_t> words = pack_narrow(weights, bits);
  words.insert(words.begin(), chunk_of(weights, bits));
  Constant constant = packed_constants(folded, to_bytes(words), bits);
  constant.scales_bytes += sizeof(uint32_t);
  return constant;
}

Call blocks(const Problem& problem, const nn::Conv2d& s, const Folded& folded, const Weights& weights, int bits) {
  const nn::PackedConv2d params = packed_shape(in_one_row(s));
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/conv2d_narrow.hpp", "PackedConv2d", params,
                     {input(0), constant(0), output(0), scratch()});
  };
  Call call = bits == 4 ? make(nn::conv2d_4bit_s8, "conv2d_4bit_s8") : make(nn::conv2d_2bit_s8, "conv2d_2bit_s8");
  call.constants = {narrow_constants(folded, weights, bits)};
  const auto taps = static_cast<int64_t>(weights.taps);
  call.scratch_bytes = 4 * align_up(taps, 8 / bits);
  call.order = pixel_order(problem, 4, true);
  call.estimate = estimate_4x4(s, bits == 4 ? 1.7 : 1.6);
  return call;
}

nn::FullyConnected dense_shape(const nn::Conv2d& s) {
  return {s.batches * s.out_height * s.out_width, s.in_channels, outputs_of(s)};
}

Call dense(const Problem& problem, const nn::Conv2d& s, const Folded& folded, const Weights& weights, int bits) {
  const nn::FullyConnected params = dense_shape(s);
  const auto make = [&](auto kernel, const char* function) {
    return make_call(kernel, function, "nn/fully_connected_narrow.hpp", "FullyConnected", params,
                     {input(0), constant(0), output(0)});
  };
  Call call = bits == 4 ? make(nn::fully_connected_4bit_s8, "fully_connected_4bit_s8")
                        : make(nn::fully_connected_2bit_s8, "fully_connected_2bit_s8");
  call.constants = {narrow_constants(folded, weights, bits)};
  call.order = pixel_order(problem, 1, false);
  call.estimate.own_saves = 0;
  return call;
}

// uint8_t [taps / 32][channels, a multiple of 4][8]
std::vector<uint8_t> pack_ternary(const Weights& weights) {
  std::vector<uint8_t> codes;
  const size_t together = nn::ternary_values;
  for (size_t first = 0; first < weights.taps; first += together) {
    for (size_t channel = 0; channel < (weights.channels + 3) / 4 * 4; ++channel) {
      for (size_t tap = first; tap < first + together; tap += 4) {
        const auto digit = [&](size_t i) { return weights.at(channel, tap + i) + 1; };
        codes.push_back(narrow<uint8_t>(nn::ternary_index(digit(0), digit(1), digit(2), digit(3))));
      }
    }
  }
  return codes;
}

Call ternary_dense(const Problem& problem, const nn::Conv2d& s, Folded folded) {
  const Weights weights(folded);
  const std::vector<uint8_t> codes = pack_ternary(weights);
  for (size_t c = 0; c < weights.channels; ++c) {
    const auto of_channel = folded.weights.begin() + static_cast<ptrdiff_t>(c * weights.taps);
    folded.scales[2 * c] -=
        128 * std::accumulate(of_channel, of_channel + static_cast<ptrdiff_t>(weights.taps), 0);
  }
  Call call =
      make_call(nn::fully_connected_ternary_s8, "fully_connected_ternary_s8", "nn/fully_connected_ternary.hpp",
                "FullyConnected", dense_shape(s), {input(0), constant(0), output(0), scratch()});
  call.constants = {packed_constants(folded, to_bytes(codes), 2)};
  call.scratch_bytes = 4 * (nn::ternary_tables * nn::ternary_table_words + align_up(s.out_channels, 4));
  call.order = pixel_order(problem, 1, false);
  call.estimate.own_saves = 0;
  return call;
}

}  // namespace

std::optional<Call> lower_narrow(const Problem& problem, const nn::Conv2d& s, const Folded& folded, bool compact) {
  const bool one_group = s.group_channels == s.in_channels;
  const Weights weights(folded);
  if (!one_group || s.out_channels > UINT16_MAX || !weights.within(-8, 7)) return std::nullopt;
  const int bits = weights.within(-2, 1) ? 2 : 4;
  if (few_rows(s)) {
    const bool looked_up =
        weights.within(-1, 1) && s.out_channels >= least_ternary_channels && s.in_channels >= nn::ternary_values;
    return looked_up ? ternary_dense(problem, s, folded) : dense(problem, s, folded, weights, bits);
  }
  if (!fits_fields(in_one_row(s)) || (weights.taps < least_taps && !compact)) return std::nullopt;
  return blocks(problem, s, folded, weights, bits);
}

}  // namespace mote::convolution
