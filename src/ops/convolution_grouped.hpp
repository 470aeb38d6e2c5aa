// SPDX-License-Identifier: Apache-2.0
// Convolutions of several groups of channels, in the blocks that the core has for one group.
#pragma once

#include <optional>

#include "ops/convolution_quantised.hpp"

namespace mote::convolution {

// Nothing for one group, or where groups are so small that the plain kernel is as good.
[[nodiscard]] std::optional<Call> lower_grouped(const Problem& problem, const Quantised& q, const Folded& folded,
                                                const Core& core);

}  // namespace mote::convolution
