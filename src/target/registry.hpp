// SPDX-License-Identifier: Apache-2.0
// Every target the compiler knows: one entry for each file in src/target, sorted by name; the build writes the
// table.
#pragma once

#include <span>

#include "target/target.hpp"

namespace mote::target {

[[nodiscard]] std::span<const Target* const> all();

}  // namespace mote::target
