// SPDX-License-Identifier: Apache-2.0
// Models that exercise one kernel each, made from the operators' own random samples.
#pragma once

#include <map>
#include <string>

#include "ir/graph.hpp"

namespace mote::costs {

// By the kernel that every one of the graph's layers lowers to. Deterministic.
[[nodiscard]] std::map<std::string, Graph> kernel_graphs();

}  // namespace mote::costs
