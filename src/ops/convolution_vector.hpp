// SPDX-License-Identifier: Apache-2.0
// Calls of the kernels for Arm's M-profile vector extension.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// As nn::VectorBlock has them.
[[nodiscard]] std::vector<int8_t> vector_weights(const Folded& folded);
[[nodiscard]] std::vector<int32_t> vector_scales(const Folded& folded);

// Nothing when none of them fits the layer.
[[nodiscard]] std::optional<Call> lower_vector(const Problem& problem, const Quantised& q, const Folded& folded);

}  // namespace mote::convolution
