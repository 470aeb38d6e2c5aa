// SPDX-License-Identifier: Apache-2.0
// A target by its name.
#pragma once

#include <string_view>

#include "target/target.hpp"

namespace mote {

// The target with its generated code compiled by "g++" or "clang++". Throws Error when that compiler has no code
// generator for it.
[[nodiscard]] const Target& compiled_by(const Target& target, std::string_view compiler);

// Throws Error that lists the known names, the most similar first.
[[nodiscard]] const Target& find_target(std::string_view name);

}  // namespace mote
