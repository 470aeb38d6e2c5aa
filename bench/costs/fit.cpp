// SPDX-License-Identifier: Apache-2.0
#include "fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "least_squares.hpp"

namespace mote::costs {

namespace {

constexpr size_t unknowns = work_names.size();
constexpr double sample_weight = 0.1;    // of a step made for the fit, beside 1 for a user's model
constexpr double relative_weight = 0.1;  // of the same kernel shared, for an own copy, and the other way round

Variant other_of(Variant variant) {
  switch (variant) {
    case Variant::speed_own: return Variant::speed_shared;
    case Variant::speed_shared: return Variant::speed_own;
    case Variant::size_own: return Variant::size_shared;
    case Variant::size_shared: return Variant::size_own;
  }
  fail("internal: no variant");
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
  std::vector<const ObservedStep*> relatives;  // of the kernel in its other variant
  std::vector<double> relative_weights;
  std::vector<double> sample_code, real_code;  // of own copies, or of the shared instance
  std::vector<LayerCode> layers;               // own copies in real models, one a shape
  double sample_stack = 0, real_stack = 0;
};

using RowsByKernel = std::map<std::string, Rows>;

void add_shared_code(const Observation& observation, const std::string& kernel, Rows& rows) {
  const auto bytes = observation.shared_bytes.find(kernel);
  if (bytes != observation.shared_bytes.end())
    (observation.real ? rows.real_code : rows.sample_code).push_back(bytes->second);
}

void add_layer(const ObservedStep& step, Rows& rows) {
  const LayerShape shape = shape_of(step.work);
  const bool known = std::any_of(rows.layers.begin(), rows.layers.end(),
                                 [&](const LayerCode& layer) { return layer.shape == shape; });
  if (!known) rows.layers.push_back({shape, step.code_bytes});
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
      if (!is_shared(variant) && step.code_bytes > 0)
        (observation->real ? rows.real_code : rows.sample_code).push_back(step.code_bytes);
      if (variant == Variant::speed_own && step.code_bytes > 0 && observation->real) add_layer(step, rows);
      double& stack = observation->real ? rows.real_stack : rows.sample_stack;
      stack = std::max(stack, step.stack_bytes);
      if (seen.insert(step.kernel).second && is_shared(variant)) add_shared_code(*observation, step.kernel, rows);
    }
  }
  return found;
}

// What a kernel's own copies do not show, large layers say, its shared instance shows nearly.
void add_relatives(const RowsByKernel& others, RowsByKernel& found) {
  for (auto& [kernel, rows] : found) {
    const auto other = others.find(kernel);
    if (other == others.end()) continue;
    rows.relatives = other->second.steps;
    for (const double weight : other->second.weights) rows.relative_weights.push_back(weight * relative_weight);
  }
}

// The layers made for the fit are so small that their own copies are unrolled at -O3, by a factor of up to ten:
// their code counts where no real model has the kernel, and then that of the copy with least of it.
double code_of(const Rows& rows, Variant variant) {
  const std::vector<double>& made = rows.sample_code;
  if (made.empty() || rows.real_code.size() >= 3) return mean(rows.real_code);
  if (variant != Variant::speed_own) return mean(made);
  return rows.real_code.empty() ? *std::min_element(made.begin(), made.end()) : mean(rows.real_code);
}

KernelCost cost_of(const Rows& rows, Variant variant) {
  KernelCost cost;
  std::vector<const ObservedStep*> steps = rows.steps;
  std::vector<double> weights = rows.weights;
  steps.insert(steps.end(), rows.relatives.begin(), rows.relatives.end());
  weights.insert(weights.end(), rows.relative_weights.begin(), rows.relative_weights.end());
  cost.instructions = fit_instructions(steps, weights);
  cost.code_bytes = code_of(rows, variant);
  cost.layers = rows.layers;
  cost.stack_bytes = variant == Variant::speed_own && rows.real_stack > 0
                         ? rows.real_stack
                         : std::max(rows.real_stack, rows.sample_stack);
  for (const ObservedStep* const step : rows.steps)
    cost.libraries.insert(step->libraries.begin(), step->libraries.end());
  return cost;
}

// For kernels nobody measured: what kernels of that element type have in common.
KernelCost pooled(const RowsByKernel& found, const std::map<std::string, KernelCost>& costs,
                  const std::function<bool(const std::string&)>& like) {
  Rows all;
  std::vector<double> code;
  std::map<std::string, size_t> users;  // of a library member
  KernelCost cost;
  for (const auto& [kernel, rows] : found) {
    if (!like(kernel)) continue;
    all.steps.insert(all.steps.end(), rows.steps.begin(), rows.steps.end());
    all.weights.insert(all.weights.end(), rows.steps.size(), 1.0 / static_cast<double>(rows.steps.size()));
    code.push_back(costs.at(kernel).code_bytes);
    cost.stack_bytes = std::max(cost.stack_bytes, costs.at(kernel).stack_bytes);
    for (const std::string& member : costs.at(kernel).libraries) ++users[member];
  }
  for (const auto& [member, count] : users) {
    if (2 * count > code.size()) cost.libraries.insert(member);
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

// gcc clones a kernel's function for some of its callers: as in real models on average, else as where it did
// least.
std::map<std::string, double> library_bytes(const std::vector<const Observation*>& observations) {
  std::map<std::string, std::vector<double>> real, made;
  for (const Observation* const observation : observations) {
    for (const auto& [member, bytes] : observation->library_bytes)
      (observation->real ? real : made)[member].push_back(bytes);
  }
  std::map<std::string, double> result;
  for (const auto& [member, bytes] : made) result[member] = *std::min_element(bytes.begin(), bytes.end());
  for (const auto& [member, bytes] : real) result[member] = mean(bytes);
  return result;
}

// The run function's bytes against its number of steps: a straight line. Where no model was built as a user gets
// it, the function counts its steps too, and the line is a little high.
void fit_run(const std::vector<const Observation*>& observations, CostTable& table) {
  const bool any_real =
      std::any_of(observations.begin(), observations.end(), [](const Observation* one) { return one->real; });
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const Observation* const observation : observations) {
    if (observation->real != any_real) continue;
    const auto steps = static_cast<double>(observation->steps.size());
    n += 1, x += steps, y += observation->run_bytes, xx += steps * steps, xy += steps * observation->run_bytes;
  }
  const double spread = n * xx - x * x;
  table.run_step_bytes = spread > 0 ? std::max(0.0, (n * xy - x * y) / spread) : 0;
  table.run_bytes = n > 0 ? (y - table.run_step_bytes * x) / n : 0;
}

}  // namespace

StepWork fit_instructions(const std::vector<const ObservedStep*>& steps, const std::vector<double>& weights) {
  std::vector<Equation<unknowns>> equations;
  for (size_t i = 0; i < steps.size(); ++i) {
    const ObservedStep& step = *steps[i];
    equations.push_back({step.work, step.instructions, weights[i] / std::max(1.0, step.instructions)});
  }
  return least_squares(equations);
}

CostTable fit_table(const std::string& target, const std::vector<const Observation*>& observations) {
  CostTable table;
  table.target = target;
  for (size_t i = 0; i < variant_names.size(); ++i) {
    const auto variant = static_cast<Variant>(i);
    RowsByKernel found = collect(observations, variant);
    add_relatives(collect(observations, other_of(variant)), found);
    std::vector<double> calls;
    for (const auto& [kernel, rows] : found) {
      table.kernels[i][kernel] = cost_of(rows, variant);
      for (const ObservedStep* const step : rows.steps) calls.push_back(step->code_bytes);
    }
    if (is_shared(variant)) table.call_bytes[i] = mean(calls);
    add_pooled(found, table.kernels[i]);
  }
  table.library_bytes = library_bytes(observations);
  fit_run(observations, table);
  return table;
}

}  // namespace mote::costs
