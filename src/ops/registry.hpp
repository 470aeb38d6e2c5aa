// SPDX-License-Identifier: Apache-2.0
// Every operator the compiler knows: one entry for each file in src/ops, sorted by name; the build writes the
// table.
#pragma once

#include <span>

#include "ir/operator.hpp"

namespace mote::op {

[[nodiscard]] std::span<const OpDef* const> all();

}  // namespace mote::op
