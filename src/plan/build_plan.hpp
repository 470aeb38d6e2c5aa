// SPDX-License-Identifier: Apache-2.0
// From tasks in their order and segments to a placed and proven plan.
#pragma once

#include <memory>

#include "plan/plan.hpp"
#include "plan/strip_calls.hpp"
#include "plan/strip_layout.hpp"

namespace mote {

[[nodiscard]] std::vector<TensorId> states_of(const Graph& graph);

[[nodiscard]] OrderedTasks ordered(const Graph& graph, const Values& values, const std::vector<Task>& tasks,
                                   const std::vector<size_t>& order, const Core& core);

// A segment with the calls of its tasks.
struct PlannedSegment {
  std::shared_ptr<const StripLayout> layout;
  std::vector<StripCalls> calls;  // one a task
  bool parallel = false;          // Segment::parallel
};

// nullopt: one of its tasks has no call for all strips.
[[nodiscard]] std::optional<PlannedSegment> plan_segment(const Graph& graph, const OrderedTasks& order,
                                                         const StripLayout& layout);

// Values that move, no two before one step.
using MovedValues = std::vector<size_t>;

// `segments` in their order. The result went through check() and, with segments, check_segments().
[[nodiscard]] Plan build_plan(const Graph& graph, const Values& values, const OrderedTasks& order,
                              const std::vector<PlannedSegment>& segments, const MovedValues& moved,
                              int64_t least_align);

// The step before which the value can move: that of its first reader, or the first of that one's segment. nullopt:
// it cannot, because it is written there, too, or belongs to the model's caller, or nobody reads it.
[[nodiscard]] std::optional<size_t> move_step(const OrderedTasks& order,
                                              const std::vector<PlannedSegment>& segments, size_t value);

}  // namespace mote
