// SPDX-License-Identifier: Apache-2.0
// What generated code needs for steps that run in strips: closed forms of rows, moves, and the loop.
#pragma once

#include <string>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

class LayerTable;

// The segment of a step, and the step's place in it.
struct StripPlace {
  const Segment* segment = nullptr;  // nullptr: the step runs once
  size_t index = 0;

  [[nodiscard]] const StripStep& step() const { return segment->steps[index]; }
};
[[nodiscard]] StripPlace find_strips(const Plan& plan, size_t step);

// Functions that several steps use; empty without segments and moves. They stand in front of the steps.
[[nodiscard]] std::string strip_functions(const Graph& graph, const Plan& plan, const LayerTable& table);

// The beginning of a step's function, up to the rows of its inputs; `arena_text` is where the step's output
// begins.
[[nodiscard]] std::string strip_beginning(const Graph& graph, const StripPlace& place, const std::string& out_text,
                                          const Step& step);

// Statements that set the parameters which differ from strip to strip.
[[nodiscard]] std::string strip_fields(const StripPlace& place, const Call& call);

// What is added to the place of a buffer so that it points at the strip's rows: " + (low0 - first2) * 384".
[[nodiscard]] std::string strip_offset(const Graph& graph, const StripPlace& place, const Argument& argument);

// The kernel headers that segments and moves use.
[[nodiscard]] std::vector<std::string> strip_headers(const Plan& plan);

// The moves of tensors in front of a step, statements of NAME_run.
[[nodiscard]] std::string moves_before(const Plan& plan, size_t step);

// How NAME_run executes a segment, on one core.
[[nodiscard]] std::string strip_loop(const Graph& graph, const Plan& plan, const Segment& segment);

// The calls of step `index` on one core, with what moves before; of a segment's first step those of the whole
// segment, of its others none.
[[nodiscard]] std::string one_core_calls(const Graph& graph, const Plan& plan, size_t index);

}  // namespace mote
