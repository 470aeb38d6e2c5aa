// SPDX-License-Identifier: Apache-2.0
// The portable kernels with packed weights: 8-bit activations, sums proven to fit nn::Requantize.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Nothing where the shape fits none of them.
[[nodiscard]] std::optional<Call> lower_packed(const Problem& problem, const nn::Conv2d& shape,
                                               const Folded& folded);

}  // namespace mote::convolution
