// SPDX-License-Identifier: Apache-2.0
// The integers of a quantised convolution: weights without their zero points, biases, multipliers, and what is
// proven about the sums.
#pragma once

#include <optional>
#include <vector>

#include "ops/convolution_kernels.hpp"

namespace mote::convolution {

// Per output channel where nothing else is said.
struct Quantised {
  nn::Conv2d shape{};
  int64_t reach = 0;             // the largest magnitude of an input less its zero point
  std::vector<int16_t> weights;  // [out][taps]; empty when they are computed at run time
  std::vector<int64_t> bias;
  std::vector<int32_t> multiplier;
  std::vector<int8_t> shift;
};

[[nodiscard]] Quantised quantise(const Problem& problem);

// Constant integer weights, [out][taps], their zero points subtracted.
[[nodiscard]] std::vector<int16_t> integer_weights(const Tensor& weights, int64_t channels, bool channels_last);

[[nodiscard]] bool fits_int8(const std::vector<int16_t>& values);

// The largest magnitude that the products of channel `c` add up to, whatever the input: without and with the bias.
[[nodiscard]] int64_t products_bound(const Quantised& q, size_t c);
[[nodiscard]] int64_t sum_bound(const Quantised& q, size_t c);

// What nn::Requantize works with: weights, and per channel the bias with the input's zero point folded in.
struct Folded {
  std::vector<int8_t> weights;
  std::vector<int32_t> scales;  // {bias, multiplier} a channel, channels padded to a multiple of four
  std::vector<uint8_t> shift;
};

// Nothing when a channel's numbers do not fit the arithmetic of nn::Requantize.
[[nodiscard]] std::optional<Folded> fold(const Quantised& q);

// The same for nn::RequantizeExact: nothing when a sum may exceed 32 bits.
[[nodiscard]] std::optional<Folded> fold_exact(const Quantised& q);

// {bias, multiplier} a channel for nn::RequantizeSum16, or nothing when a sum may exceed 32 bits.
[[nodiscard]] std::optional<std::vector<int32_t>> fold16(const Quantised& q);

}  // namespace mote::convolution
