// SPDX-License-Identifier: Apache-2.0
// A model's plans for one kind of core, and what each asks of a board.
#pragma once

#include <map>
#include <optional>

#include "compile/compile.hpp"
#include "fit/assess.hpp"
#include "fit/costs.hpp"

namespace mote {

// What a plan of the model asks of a board, estimated. The result points to the plan.
[[nodiscard]] Need need_of(const Graph& graph, const Plan& plan, const CostTable& table, Mode mode);

// Plans are made when they are asked for first, and stay where they are.
class CorePlans {
 public:
  CorePlans(const Graph& graph, const Core& core, int cores = 1) : graph_(graph), core_(core), cores_(cores) {}
  CorePlans(const CorePlans&) = delete;
  CorePlans& operator=(const CorePlans&) = delete;

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const Core& core() const { return core_; }
  [[nodiscard]] const Plan& whole();  // no tensor by rows only
  // The cheapest plan found that keeps the goal (PlanOptions), else the smallest.
  [[nodiscard]] const Plan& in_rows(int64_t arena_goal_bytes);
  // The same with layers computed twice (plan/recompute.hpp). nullptr: that makes no plan in rows smaller.
  [[nodiscard]] const Compiled* twice(int64_t arena_goal_bytes);

 private:
  const Graph& graph_;
  Core core_;
  int cores_;
  std::optional<Plan> whole_;
  std::map<int64_t, Plan> in_rows_;
  std::map<int64_t, std::optional<Compiled>> twice_;
};

// The cheapest plan found that one of the board's internal memories holds beside the stack, else the smallest.
// `stack_bytes`: exact; absent: estimated.
[[nodiscard]] Need need_in_rows(CorePlans& plans, const Board& board, const CostTable& table, Mode mode,
                                std::optional<int64_t> stack_bytes = {});

// A model with layers computed twice, and what its plan asks for.
struct TwiceNeed {
  const Compiled* model = nullptr;
  Need need;
};

// The same as need_in_rows() with layers computed twice. nullopt: they make no plan smaller, or the board does not
// even hold the inputs.
[[nodiscard]] std::optional<TwiceNeed> need_twice(CorePlans& plans, const Board& board, const CostTable& table,
                                                  Mode mode, std::optional<int64_t> stack_bytes = {});

}  // namespace mote
