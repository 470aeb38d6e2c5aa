// SPDX-License-Identifier: Apache-2.0
#include "fit/core_plans.hpp"

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

}  // namespace mote
