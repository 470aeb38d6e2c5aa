// SPDX-License-Identifier: Apache-2.0
// From a graph to a memory plan.
#pragma once

#include <optional>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

struct PlanOptions {
  PlanOptions() = default;
  PlanOptions(const Core& made_for) : core(made_for) {}  // where only the core matters

  Core core;  // whose kernels are called
  // Bytes, a power of two up to 16: for kernels that read words of byte tensors. Wider elements are aligned to
  // their own size.
  int64_t least_align = 4;
  // Present: tensors may exist by rows only (plan.hpp, Segment) if the arena would be larger than this otherwise;
  // 0 asks for the least arena. The plan is the cheapest one found that keeps the goal, else the smallest.
  std::optional<int64_t> arena_goal_bytes = {};
  // Present: layers may be computed twice if the arena would be larger than this otherwise (plan/recompute.hpp).
  // make_plan() itself leaves the graph as it is.
  std::optional<int64_t> recompute_above_bytes = {};
  // Two: rows of a step's output are computed by two cores at the same time, where that pays. With an arena goal,
  // no split makes the arena larger than the goal or, where that is not met, than one core's.
  int cores = 1;
  // The application pushes the input's rows one by one, so that it is never whole in the arena. The graph went
  // through the pass stream_input.
  bool stream_input = false;
};

// Lowers every node, chooses the order of execution, places all buffers and proves the result with check(). Throws
// Error that names the node which cannot be lowered.
[[nodiscard]] Plan make_plan(const Graph& graph, const PlanOptions& options = {});

}  // namespace mote
