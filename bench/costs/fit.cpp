// SPDX-License-Identifier: Apache-2.0
#include "fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace mote::costs {

namespace {

constexpr size_t unknowns = work_names.size();
constexpr double sample_weight = 0.1;  // of a step made for the fit, beside 1 for a user's model

// Minimises |A x - b| over x >= 0, given the normal equations: one coordinate after the other, a convex problem.
StepWork solve(const std::array<StepWork, unknowns>& normal, const StepWork& right) {
  StepWork x{};
  for (int round = 0; round < 20000; ++round) {
    double moved = 0;
    for (size_t i = 0; i < unknowns; ++i) {
      if (normal[i][i] <= 0) continue;
      double gradient = right[i];
      for (size_t j = 0; j < unknowns; ++j) gradient -= normal[i][j] * x[j];
      const double next = std::max(0.0, x[i] + gradient / normal[i][i]);
      moved = std::max(moved, std::abs(next - x[i]));
      x[i] = next;
    }
    if (moved < 1e-12) break;
  }
  return x;
}

bool is_shared(Variant variant) { return variant == Variant::speed_shared || variant == Variant::size_shared; }

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

struct Rows {
  std::vector<const ObservedStep*> steps;
  std::vector<double> weights;
  std::vector<double> sample_code, real_code;  // of own copies, or of the shared instance
  std::vector<double> alone_stack;             // of models that have this kernel only
  std::vector<const Observation*> with;        // observations in which it occurs
};

using RowsByKernel = std::map<std::string, Rows>;

bool only_kernel(const Observation& observation) {
  return std::all_of(observation.steps.begin(), observation.steps.end(), [&](const ObservedStep& step) {
    return step.kernel == observation.steps[0].kernel && step.variant == observation.steps[0].variant;
  });
}

void add_shared_code(const Observation& observation, const std::string& kernel, Rows& rows) {
  const auto bytes = observation.shared_bytes.find(kernel);
  if (bytes != observation.shared_bytes.end())
    (observation.real ? rows.real_code : rows.sample_code).push_back(bytes->second);
}

RowsByKernel collect(const std::vector<const Observation*>& observations, Variant variant) {
  RowsByKernel found;
  for (const Observation* const observation : observations) {
    std::set<std::string> seen;
    for (const ObservedStep& step : observation->steps) {
      if (step.variant != variant) continue;
      Rows& rows = found[step.kernel];
      rows.steps.push_back(&step);
      rows.weights.push_back(observation->real ? 1.0 : sample_weight);
      if (!is_shared(variant)) (observation->real ? rows.real_code : rows.sample_code).push_back(step.code_bytes);
      if (!seen.insert(step.kernel).second) continue;
      if (is_shared(variant)) add_shared_code(*observation, step.kernel, rows);
      rows.with.push_back(observation);
      if (only_kernel(*observation)) rows.alone_stack.push_back(observation->stack_bytes);
    }
  }
  return found;
}

// Members that every model with this kernel links, and only those: a model with other kernels links theirs too.
std::set<std::string> common_libraries(const Rows& rows) {
  std::set<std::string> common;
  for (const auto& [member, bytes] : rows.with.at(0)->library_bytes) common.insert(member);
  for (const Observation* const observation : rows.with) {
    std::erase_if(common,
                  [&](const std::string& member) { return observation->library_bytes.count(member) == 0; });
  }
  return common;
}

// Members of the models that have this kernel alone, whatever parameters its layers have.
std::set<std::string> libraries_of(const Rows& rows) {
  std::set<std::string> all;
  bool alone = false;
  for (const Observation* const observation : rows.with) {
    if (!only_kernel(*observation)) continue;
    alone = true;
    for (const auto& [member, bytes] : observation->library_bytes) all.insert(member);
  }
  return alone ? all : common_libraries(rows);
}

double stack_of(const Rows& rows) {
  if (!rows.alone_stack.empty()) return *std::max_element(rows.alone_stack.begin(), rows.alone_stack.end());
  double least = rows.with.at(0)->stack_bytes;
  for (const Observation* const observation : rows.with) least = std::min(least, observation->stack_bytes);
  return least;
}

KernelCost cost_of(const Rows& rows) {
  KernelCost cost;
  cost.instructions = fit_instructions(rows.steps, rows.weights);
  cost.code_bytes = mean(rows.real_code.size() >= 3 ? rows.real_code : rows.sample_code);
  if (rows.sample_code.empty()) cost.code_bytes = mean(rows.real_code);
  cost.stack_bytes = stack_of(rows);
  cost.libraries = libraries_of(rows);
  return cost;
}

// For kernels nobody measured: what kernels of that element type have in common.
KernelCost pooled(const RowsByKernel& found, const std::map<std::string, KernelCost>& costs,
                  const std::function<bool(const std::string&)>& like) {
  Rows all;
  std::vector<double> code;
  KernelCost cost;
  for (const auto& [kernel, rows] : found) {
    if (!like(kernel)) continue;
    all.steps.insert(all.steps.end(), rows.steps.begin(), rows.steps.end());
    all.weights.insert(all.weights.end(), rows.steps.size(), 1.0 / static_cast<double>(rows.steps.size()));
    code.push_back(costs.at(kernel).code_bytes);
    cost.stack_bytes = std::max(cost.stack_bytes, costs.at(kernel).stack_bytes);
    for (const std::string& member : costs.at(kernel).libraries) cost.libraries.insert(member);
  }
  cost.instructions = fit_instructions(all.steps, all.weights);
  cost.code_bytes = mean(code);
  return cost;
}

void add_pooled(const RowsByKernel& found, std::map<std::string, KernelCost>& costs) {
  std::set<std::string> suffixes;
  for (const auto& [kernel, rows] : found) {
    if (kernel.rfind('_') != std::string::npos) suffixes.insert(kernel.substr(kernel.rfind('_')));
  }
  const std::map<std::string, KernelCost> measured = costs;
  for (const std::string& suffix : suffixes) {
    costs["*" + suffix] =
        pooled(found, measured, [&](const std::string& kernel) { return kernel.ends_with(suffix); });
  }
  if (!measured.empty()) costs["*"] = pooled(found, measured, [](const std::string&) { return true; });
}

// The run function's bytes against its number of steps: a straight line.
void fit_run(const std::vector<const Observation*>& observations, CostTable& table) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Observation* const observation : observations) {
    const auto steps = static_cast<double>(observation->steps.size());
    n += 1, x += steps, y += observation->run_bytes, xx += steps * steps, xy += steps * observation->run_bytes;
  }
  const double spread = n * xx - x * x;
  table.run_step_bytes = spread > 0 ? std::max(0.0, (n * xy - x * y) / spread) : 0;
  table.run_bytes = n > 0 ? (y - table.run_step_bytes * x) / n : 0;
}

}  // namespace

StepWork fit_instructions(const std::vector<const ObservedStep*>& steps, const std::vector<double>& weights) {
  // Columns are scaled to unit length, or the coordinates would move at very different speeds.
  StepWork scale{};
  const auto row_weight = [&](size_t i) { return weights[i] / std::max(1.0, steps[i]->instructions); };
  for (size_t i = 0; i < steps.size(); ++i) {
    for (size_t k = 0; k < unknowns; ++k) scale[k] += std::pow(steps[i]->work[k] * row_weight(i), 2);
  }
  for (double& value : scale) value = std::sqrt(value);
  std::array<StepWork, unknowns> normal{};
  StepWork right{};
  for (size_t i = 0; i < steps.size(); ++i) {
    for (size_t a = 0; a < unknowns; ++a) {
      if (scale[a] <= 0) continue;
      const double left = steps[i]->work[a] * row_weight(i) / scale[a];
      right[a] += left * steps[i]->instructions * row_weight(i);
      for (size_t b = 0; b < unknowns; ++b) {
        if (scale[b] > 0) normal[a][b] += left * steps[i]->work[b] * row_weight(i) / scale[b];
      }
    }
  }
  // A trace of ridge decides between columns that always move together.
  for (size_t k = 0; k < unknowns; ++k) normal[k][k] += scale[k] > 0 ? 1e-9 : 0;
  StepWork x = solve(normal, right);
  for (size_t k = 0; k < unknowns; ++k) x[k] = scale[k] > 0 ? x[k] / scale[k] : 0;
  return x;
}

CostTable fit_table(const std::string& target, const std::vector<const Observation*>& observations) {
  CostTable table;
  table.target = target;
  for (size_t i = 0; i < variant_names.size(); ++i) {
    const auto variant = static_cast<Variant>(i);
    const RowsByKernel found = collect(observations, variant);
    std::vector<double> calls;
    for (const auto& [kernel, rows] : found) {
      table.kernels[i][kernel] = cost_of(rows);
      for (const ObservedStep* const step : rows.steps) calls.push_back(step->code_bytes);
    }
    if (is_shared(variant)) table.call_bytes[i] = mean(calls);
    add_pooled(found, table.kernels[i]);
  }
  for (const Observation* const observation : observations) {
    for (const auto& [member, bytes] : observation->library_bytes)
      table.library_bytes[member] = std::max(table.library_bytes[member], bytes);
  }
  fit_run(observations, table);
  return table;
}

}  // namespace mote::costs
