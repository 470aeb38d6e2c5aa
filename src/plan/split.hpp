// SPDX-License-Identifier: Apache-2.0
// Steps whose output rows two cores compute at the same time.
#pragma once

#include "plan/build_plan.hpp"

namespace mote {

// A plan and what it was built from.
struct Draft {
  std::shared_ptr<const OrderedTasks> order;  // segments point into it
  std::vector<PlannedSegment> segments;
  MovedValues moved;
  Plan plan;
};

// The draft with split steps: all that are worth it, as long as the arena takes at most `most_arena_bytes`.
[[nodiscard]] Draft split_steps(const Graph& graph, const Values& values, Draft draft, int64_t least_align,
                                std::optional<int64_t> most_arena_bytes);

}  // namespace mote
