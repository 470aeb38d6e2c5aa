// SPDX-License-Identifier: Apache-2.0
// The agent's sources as a package of an ecosystem: the folders below agent/packages/ are the layouts, with
// @places@.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/codegen.hpp"
#include "device/keys.hpp"
#include "target/target.hpp"

namespace mote {

[[nodiscard]] std::vector<std::string> agent_ecosystems();  // sorted

// An agent for this core, which obeys the owner only if there is one. Throws Error that lists what there is for an
// unknown ecosystem, and for a target that has no core layer there.
[[nodiscard]] std::vector<GeneratedFile> agent_package(std::string_view ecosystem, const Target& target,
                                                       const std::optional<Key>& owner = std::nullopt);

}  // namespace mote
