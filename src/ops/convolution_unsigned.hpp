// SPDX-License-Identifier: Apache-2.0
// The kernels in products of bytes without signs, for cores that load bytes in no other way.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Scales, shifts and weights as nn::conv2d_unsigned_s8 reads them.
[[nodiscard]] Constant unsigned_constants(Folded folded);

// Nothing where the shape fits none of them, as that of depthwise layers.
[[nodiscard]] std::optional<Call> lower_unsigned(const Problem& problem, const nn::Conv2d& shape,
                                                 const Folded& folded);

}  // namespace mote::convolution
