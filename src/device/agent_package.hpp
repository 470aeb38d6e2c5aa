// SPDX-License-Identifier: Apache-2.0
// The agent's sources as a package of an ecosystem: the folders below agent/packages/ are the layouts, with
// @places@.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codegen/codegen.hpp"
#include "target/target.hpp"

namespace mote {

[[nodiscard]] std::vector<std::string> agent_ecosystems();  // sorted

// An open agent for this core. Throws Error that lists what there is for an unknown ecosystem, and for a target
// that has no core layer there.
[[nodiscard]] std::vector<GeneratedFile> agent_package(std::string_view ecosystem, const Target& target);

}  // namespace mote
