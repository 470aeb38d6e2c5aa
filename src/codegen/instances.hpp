// SPDX-License-Identifier: Apache-2.0
// Which steps get a copy of their kernel with constant parameters, and which share one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "codegen/codegen.hpp"

namespace mote {

// Roughly: what a step takes, and what an own copy of its kernel saves of that.
struct StepInstructions {
  double total = 0, saved = 0;
};
[[nodiscard]] StepInstructions rough_instructions(const Graph& graph, const Step& step);

// For each step the first one whose kernel has the same parameters: their own copies are one. Parameters of a step
// that runs in strips change, so it has a copy of its own.
[[nodiscard]] std::vector<size_t> equal_instances(const Plan& plan);

// Steps that take so little of the time that their code had better be small.
[[nodiscard]] std::vector<bool> cold_steps(const Graph& graph, const Plan& plan, Mode mode);

}  // namespace mote
