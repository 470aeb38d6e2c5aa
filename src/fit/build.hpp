// SPDX-License-Identifier: Apache-2.0
// A model for a target, for a board or for given memories, within limits: what stands behind `mote compile`.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fit/fit.hpp"
#include "fit/memories.hpp"
#include "measure/measure.hpp"
#include "passes/trainable_head.hpp"

namespace mote {

// Plans the model: reads it anew, or keeps a graph.
using Planner = std::function<Compiled(const PlanOptions& options)>;

struct LayoutRequest {
  const Target* target = nullptr;
  Mode mode = Mode::balanced;
  int cores = 1;
  bool stream_input = false;           // PlanOptions
  std::optional<Board> board;          // whose memories to use
  std::vector<MemoryRegion> memories;  // to use instead, the fastest first; neither: one arena, in any memory
};

struct LaidOut {
  Compiled compiled;
  const Target* target = nullptr;
  Mode mode = Mode::balanced;
  std::optional<Board> board;
  Assessment layout;          // in the board's memories, where one is given
  std::optional<Plan> whole;  // the plan with one arena, where the model was laid out for given memories
};

// Plans for the memories, or for an arena of `ram_bytes` where neither board nor memories are asked for.
// `stack_bytes`: what stands beside the arena on a board, exact; absent: estimated.
[[nodiscard]] LaidOut lay_out(const Planner& plan, const LayoutRequest& request,
                              std::optional<int64_t> ram_bytes = {}, std::optional<int64_t> stack_bytes = {});

// What stands beside the arena: the stack, and RAM of the library.
[[nodiscard]] int64_t stack_beside(const Sizes& sizes);

struct Built {
  LaidOut model;
  std::optional<Sizes> sizes;  // absent for the host, or where nothing was measured
};

// Plans, links (where `measured`) and plans again where the exact stack asks for that. Throws Error that says what
// takes the space when the model does not fit `limits`, the target's memories or the board. `head`: that of the
// backbone which is built; the stack is then that of training and predicting, too.
[[nodiscard]] Built build(const Planner& plan, const LayoutRequest& request, const Limits& limits, bool measured,
                          const TrainableHead* head = nullptr);

// RAM and flash that are left for the backbone beside the head. Throws Error when there is none.
[[nodiscard]] Limits limits_beside(const TrainableHead& head, Limits limits, const Target& target);

// All boards: those of the model's target with its exact figures, where it was measured, the others with
// estimates.
[[nodiscard]] ModelFit fit_all_boards(const LaidOut& model, const Measurement& measured);

}  // namespace mote
