// SPDX-License-Identifier: Apache-2.0
// Kernels for weights that fit 4 or 2 bits, whatever type the file gave them: half or a quarter of the flash, and
// fewer instructions on cores that multiply one pair of numbers at a time.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Nothing where a weight is wider, for depthwise and grouped convolutions, whose weights are few, and unless
// `compact` (Core) where bytes are faster.
[[nodiscard]] std::optional<Call> lower_narrow(const Problem& problem, const nn::Conv2d& shape,
                                               const Folded& folded, bool compact);

}  // namespace mote::convolution
