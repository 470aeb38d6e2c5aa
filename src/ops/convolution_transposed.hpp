// SPDX-License-Identifier: Apache-2.0
// Transposed convolutions in blocks: what lies a stride apart is an ordinary convolution, with packed weights.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Nothing where a phase's numbers do not fit the blocks of the core.
[[nodiscard]] std::optional<Call> lower_transposed(const Quantised& q, const Core& core);

// The same of 16-bit activations; `scales` as fold16 has them.
[[nodiscard]] std::optional<Call> lower_transposed_s16(const Quantised& q, const std::vector<int32_t>& scales,
                                                       const Core& core);

}  // namespace mote::convolution
