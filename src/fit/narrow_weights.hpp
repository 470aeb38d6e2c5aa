// SPDX-License-Identifier: Apache-2.0
// What a model's constants would take with weights of few bits.
#pragma once

#include "ir/core.hpp"
#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// Bytes of flash for the constants of `plan` when weights of bytes had 4 bits or were ternary (2), as the compiler
// would store them for this core. As many as they take now where it would keep bytes.
[[nodiscard]] int64_t narrow_weight_bytes(const Graph& graph, const Plan& plan, const Core& core, int bits);

}  // namespace mote
