// SPDX-License-Identifier: Apache-2.0
// Convolutions and dense layers of 16-bit activations whose sums fit 32 bits, in blocks of pixels and channels.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Weights [out][taps] and scales as the block kernels of a core take them.
struct Constants16 {
  std::vector<int8_t> weights;
  std::vector<int32_t> scales;
};
[[nodiscard]] Constants16 constants_s16(const std::vector<int8_t>& weights, const std::vector<int32_t>& scales,
                                        const Core& core);

// `weights` [out][taps], `scales` as fold16 has them. Nothing where no block kernel fits.
[[nodiscard]] std::optional<Call> lower_blocks_s16(const Problem& problem, const nn::Conv2d& s,
                                                   const std::vector<int8_t>& weights,
                                                   const std::vector<int32_t>& scales, const Core& core);

}  // namespace mote::convolution
