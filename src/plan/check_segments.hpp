// SPDX-License-Identifier: Apache-2.0
// The independent proof of a plan with segments.
#pragma once

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// Replays the plan without computing anything: notes for every byte of the arena which byte of which tensor it
// holds, and throws Error that names the node and the strip unless each kernel finds every byte that it reads (by
// Operator::needs, not by the plan's own reckoning), writes within its buffers and past what it reads, and the
// model's outputs are complete at the end.
void check_segments(const Graph& graph, const Plan& plan);

}  // namespace mote
