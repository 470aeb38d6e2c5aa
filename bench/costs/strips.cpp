// SPDX-License-Identifier: Apache-2.0
#include "strips.hpp"

#include <algorithm>
#include <cmath>

#include "least_squares.hpp"

namespace mote::costs {

namespace {

// The step of the other plan that computes the same node.
size_t step_of(const Plan& plan, size_t node) {
  const auto found =
      std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& step) { return step.node == node; });
  return static_cast<size_t>(found - plan.steps.begin());
}

double more_instructions(const StripCost& cost, const StripPair& pair) {
  double sum = 0;
  for (const StripPair::Step& step : pair.steps) {
    for (size_t k = 0; k < step.work.size(); ++k) sum += cost.instructions[k] * step.work[k];
  }
  return sum;
}

}  // namespace

StripPair observe_strips(const Compiled& whole, const Compiled& strips, const Target& target, bool for_size,
                         const std::filesystem::path& cache) {
  const Way way{for_size ? Mode::size : Mode::balanced, for_size};
  const Observation before = observe(whole, target, way, true, cache);
  const Observation after = observe(strips, target, way, true, cache);
  StripPair pair{after.model,
                 for_size,
                 {},
                 before.instructions,
                 before.code_bytes,
                 after.code_bytes - before.code_bytes,
                 after.stack_bytes - before.stack_bytes};
  for (size_t i = 0; i < strips.plan.steps.size(); ++i) {
    const StripWork work = strip_work_of(strips.graph, strips.plan, i);
    if (work == StripWork{}) continue;
    const double once = before.steps.at(step_of(whole.plan, strips.plan.steps[i].node)).instructions;
    pair.steps.push_back({work, once, after.steps[i].instructions - once});
  }
  return pair;
}

std::optional<StripCost> fit_strips(const std::vector<StripPair>& pairs, bool for_size) {
  std::vector<Equation<strip_work_names.size()>> equations;
  double code = 0;
  StripCost cost;
  for (const StripPair& pair : pairs) {
    if (pair.for_size != for_size) continue;
    // Errors count beside all that the step takes in strips.
    for (const StripPair::Step& step : pair.steps) {
      const double all = step.whole_instructions + std::max(0.0, step.more_instructions);
      equations.push_back({step.work, step.more_instructions, 1 / std::max(1.0, all)});
    }
    code += pair.more_code_bytes;
    cost.stack_bytes = std::max(cost.stack_bytes, pair.more_stack_bytes);
  }
  if (equations.empty()) return std::nullopt;
  cost.instructions = least_squares(equations);
  cost.step_code_bytes = code / static_cast<double>(equations.size());
  return cost;
}

void report_strips(const std::string& target, const std::vector<StripPair>& pairs) {
  double worst_instructions = 0, worst_code = 0;
  for (const StripPair& pair : pairs) {
    std::vector<StripPair> others;
    for (const StripPair& other : pairs) {
      if (other.model != pair.model) others.push_back(other);
    }
    const std::optional<StripCost> cost = fit_strips(others, pair.for_size);
    if (!cost) continue;
    double more = 0;
    for (const StripPair::Step& step : pair.steps) more += step.more_instructions;
    const double guess = more_instructions(*cost, pair);
    const double code = cost->step_code_bytes * static_cast<double>(pair.steps.size());
    const double off = (guess - more) / (pair.whole_instructions + more);
    const double code_off = (code - pair.more_code_bytes) / (pair.whole_code_bytes + pair.more_code_bytes);
    fmt::print(
        "{} {} in strips, {}: instructions {:+.1f} % (estimated {:+.1f} %), code {:+.0f} B ({:+.0f} B), stack "
        "{:+.0f} B\n",
        target, pair.model, pair.for_size ? "size" : "balanced", 100 * more / pair.whole_instructions,
        100 * guess / pair.whole_instructions, pair.more_code_bytes, code, pair.more_stack_bytes);
    worst_instructions = std::max(worst_instructions, std::abs(off));
    worst_code = std::max(worst_code, std::abs(code_off));
  }
  fmt::print("{} strips: off by at most {:.1f} % of all instructions and {:.1f} % of all code\n", target,
             100 * worst_instructions, 100 * worst_code);
}

}  // namespace mote::costs
