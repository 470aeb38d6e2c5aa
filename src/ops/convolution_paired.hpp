// SPDX-License-Identifier: Apache-2.0
// Calls of the kernels for Arm's DSP extension: nn/multiply_paired.hpp says what they compute with.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// As nn::conv2d_paired_s8 takes them; nothing where 16 bits do not hold two channels' weights.
struct PairedConstants {
  std::vector<int16_t> weights;
  std::vector<int32_t> scales;
};
[[nodiscard]] std::optional<PairedConstants> paired_constants(const Folded& folded, int32_t out_zero);

// Nothing when none of them fits the layer.
[[nodiscard]] std::optional<Call> lower_paired(const Problem& problem, const Quantised& q, const Folded& folded);

}  // namespace mote::convolution
