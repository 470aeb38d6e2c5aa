// SPDX-License-Identifier: Apache-2.0
// What generated code needs to run on two cores: NAME_run_part, and the barrier's type in the header.
#pragma once

#include <string>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// The function that each core calls.
[[nodiscard]] std::string run_part_function(const Graph& graph, const Plan& plan);

// Its declaration, with the barrier's type; `parameters` are those for the arenas.
[[nodiscard]] std::string run_part_declaration(const Graph& graph, const std::string& parameters);

}  // namespace mote
