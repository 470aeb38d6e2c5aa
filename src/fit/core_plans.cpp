// SPDX-License-Identifier: Apache-2.0
#include "fit/core_plans.hpp"

#include <algorithm>

#include "plan/recompute.hpp"

namespace mote {

Need need_of(const Graph& graph, const Plan& plan, const CostTable& table, Mode mode) {
  const CostEstimate estimate = estimate_costs(table, graph, plan, mode);
  const auto error = table.errors.find(std::string(name(mode)));
  return {&plan,
          accesses_of(graph, plan),
          flash_data(plan).weight_bytes,
          estimate.code_bytes,
          estimate.stack_bytes,
          estimate.instructions,
          error == table.errors.end() ? 0.0 : error->second.code.worst};
}

const Plan& CorePlans::whole() {
  if (whole_) return *whole_;
  PlanOptions options(core_);
  options.cores = cores_;
  return whole_.emplace(make_plan(graph_, options));
}

const Plan& CorePlans::in_rows(int64_t arena_goal_bytes) {
  const auto known = in_rows_.find(arena_goal_bytes);
  if (known != in_rows_.end()) return known->second;
  PlanOptions options(core_);
  options.arena_goal_bytes = arena_goal_bytes;
  options.cores = cores_;
  return in_rows_.emplace(arena_goal_bytes, make_plan(graph_, options)).first->second;
}

const Compiled* CorePlans::twice(int64_t arena_goal_bytes) {
  const auto [known, added] = twice_.try_emplace(arena_goal_bytes);
  if (added) {
    PlanOptions options(core_);
    options.recompute_above_bytes = arena_goal_bytes;
    options.cores = cores_;
    // As planned() has it, so that the two find the same.
    const Plan& once = in_rows(core_.compact ? 0 : arena_goal_bytes);
    if (std::optional<Recomputed> found = recompute(graph_, once, options))
      known->second = Compiled{std::move(found->graph), std::move(found->plan)};
  }
  return known->second ? &*known->second : nullptr;
}

Need need_in_rows(CorePlans& plans, const Board& board, const CostTable& table, Mode mode,
                  std::optional<int64_t> stack_bytes) {
  Need least = need_of(plans.graph(), plans.in_rows(0), table, mode);
  least.stack_bytes = stack_bytes.value_or(least.stack_bytes);
  const int64_t room = arena_room(board, least.stack_bytes);
  if (mode == Mode::size || least.plan->arena_bytes >= room) return least;
  int64_t stack = stack_bytes.value_or(need_of(plans.graph(), plans.whole(), table, mode).stack_bytes);
  while (true) {
    Need need = need_of(plans.graph(), plans.in_rows(arena_room(board, stack)), table, mode);
    if (stack_bytes) need.stack_bytes = *stack_bytes;
    if (need.stack_bytes <= stack) return need;
    stack = need.stack_bytes;  // strips take more of it
  }
}

std::optional<TwiceNeed> need_twice(CorePlans& plans, const Board& board, const CostTable& table, Mode mode,
                                    std::optional<int64_t> stack_bytes) {
  int64_t input_bytes = 0;  // whole before the first step
  for (const TensorId id : plans.graph().inputs) input_bytes += byte_size(plans.graph().tensors[id].type);
  if (arena_room(board, stack_bytes.value_or(0)) < input_bytes) return std::nullopt;
  const auto in_arena_of = [&](int64_t goal_bytes) -> std::optional<TwiceNeed> {
    const Compiled* const model = plans.twice(std::max<int64_t>(goal_bytes, 1));
    if (model == nullptr) return std::nullopt;
    TwiceNeed twice{model, need_of(model->graph, model->plan, table, mode)};
    if (stack_bytes) twice.need.stack_bytes = *stack_bytes;
    return twice;
  };
  std::optional<TwiceNeed> least = in_arena_of(1);
  if (!least || least->model->plan.arena_bytes >= arena_room(board, least->need.stack_bytes)) return least;
  int64_t stack = stack_bytes.value_or(need_of(plans.graph(), plans.whole(), table, mode).stack_bytes);
  while (true) {
    std::optional<TwiceNeed> twice = in_arena_of(arena_room(board, stack));
    if (!twice || twice->need.stack_bytes <= stack) return twice;
    stack = twice->need.stack_bytes;
  }
}

}  // namespace mote
