// SPDX-License-Identifier: Apache-2.0
// A target by its name.
#pragma once

#include <string_view>

#include "target/target.hpp"

namespace mote {

// Throws Error that lists the known names, the most similar first.
[[nodiscard]] const Target& find_target(std::string_view name);

}  // namespace mote
