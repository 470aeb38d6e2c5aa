// SPDX-License-Identifier: Apache-2.0
#include "codegen/instances.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "codegen/strips.hpp"
#include "ir/rough_work.hpp"

namespace mote {

namespace {

int64_t elements_of(const Graph& graph, const std::vector<TensorId>& ids) {
  int64_t count = 0;
  for (const TensorId id : ids) {
    if (id != no_tensor && !graph.tensors[id].constant()) count += elements(graph.tensors[id].type.shape);
  }
  return count;
}

std::vector<StepInstructions> all_instructions(const Graph& graph, const Plan& plan) {
  std::vector<StepInstructions> all;
  for (const Step& step : plan.steps) all.push_back(rough_instructions(graph, step));
  return all;
}

double total_of(const std::vector<StepInstructions>& steps) {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [](double sum, const StepInstructions& step) { return sum + step.total; });
}

// The share of a model's instructions that a copy must save to be worth its flash in speed mode.
constexpr double least_saving = 0.0025;

// What balanced mode reaches of speed mode's speed by this count. The promise is 0.85: the rest is for what the
// count does not know.
constexpr double share_of_speed = 0.95;

}  // namespace

StepInstructions rough_instructions(const Graph& graph, const Step& step) {
  const Node& node = graph.nodes[step.node];
  const int64_t macs = node.op->work(inputs_of(graph, node), output_types(graph, node)).macs;
  const double total = rough_count(macs, elements_of(graph, node.in), elements_of(graph, node.out));
  return {total, step.call.own_saves < 0 ? 0.25 * total : step.call.own_saves};
}

std::vector<size_t> equal_instances(const Plan& plan) {
  std::map<std::string, size_t> first;
  std::vector<size_t> instances;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    std::string parameters = plan.steps[i].call.kernel;
    for (const Field& field : plan.steps[i].call.fields) parameters += " " + field.text;
    const StripPlace strips = find_strips(plan, i);
    const bool constant = strips.segment == nullptr || (strips.segment->parallel && strips.step().fields.empty());
    if (!constant) parameters += fmt::format(" strips of step {}", i);
    instances.push_back(first.try_emplace(parameters, i).first->second);
  }
  return instances;
}

namespace {

// Which instances save more than `least`.
std::set<size_t> saving_more(const std::vector<double>& saved, double least) {
  std::set<size_t> all;
  for (size_t i = 0; i < saved.size(); ++i) {
    if (saved[i] > least) all.insert(i);
  }
  return all;
}

double total_at(const std::vector<double>& saved, const std::set<size_t>& instances) {
  return std::accumulate(instances.begin(), instances.end(), 0.0,
                         [&](double sum, size_t instance) { return sum + saved[instance]; });
}

// As few as bring the model from `total` to `most` instructions: those that save most.
std::set<size_t> most_saving(const std::vector<double>& saved, double total, double most) {
  std::vector<size_t> order(saved.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return saved[a] > saved[b]; });
  std::set<size_t> chosen;
  for (const size_t instance : order) {
    if (total <= most) break;
    chosen.insert(instance);
    total -= saved[instance];
  }
  return chosen;
}

// Where one or two are left to share a kernel's instance, copies of their own take about as much flash as it does.
void add_last(const Plan& plan, const std::vector<size_t>& instances, const std::vector<double>& saved,
              std::set<size_t>& chosen) {
  std::map<std::string, std::set<size_t>> sharing;
  for (const size_t instance : instances) {
    if (chosen.count(instance) == 0) sharing[plan.steps[instance].call.kernel].insert(instance);
  }
  for (const auto& [kernel, left] : sharing) {
    const bool faster =
        std::any_of(left.begin(), left.end(), [&](size_t instance) { return saved[instance] > 0; });
    if (faster && left.size() <= 2) chosen.insert(left.begin(), left.end());
  }
}

}  // namespace

std::vector<bool> specialised_steps(const Graph& graph, const Plan& plan, Mode mode) {
  const std::vector<StepInstructions> steps = all_instructions(graph, plan);
  if (mode == Mode::size) return std::vector<bool>(steps.size(), false);
  const std::vector<size_t> instances = equal_instances(plan);
  std::vector<double> saved(steps.size(), 0.0);
  for (size_t i = 0; i < steps.size(); ++i) saved[instances[i]] += steps[i].saved;
  const double total = total_of(steps);
  std::set<size_t> chosen = saving_more(saved, least_saving * total);
  if (mode == Mode::balanced) {
    const double fastest = total - total_at(saved, chosen);
    chosen = most_saving(saved, total, fastest / share_of_speed);
  }
  add_last(plan, instances, saved, chosen);
  std::vector<bool> own;
  for (const size_t instance : instances) own.push_back(chosen.count(instance) != 0);
  return own;
}

std::set<std::string> shared_kernels(const Plan& plan, const std::vector<bool>& own) {
  std::map<std::string, int> users;
  for (size_t i = 0; i < plan.steps.size(); ++i) users[plan.steps[i].call.kernel] += own[i] ? 0 : 1;
  std::set<std::string> shared;
  for (const auto& [kernel, count] : users) {
    if (count > 1) shared.insert(kernel);
  }
  return shared;
}

std::vector<bool> cold_steps(const Graph& graph, const Plan& plan, Mode mode) {
  const std::vector<StepInstructions> steps = all_instructions(graph, plan);
  std::map<std::string, double> by_kernel;
  for (size_t i = 0; i < steps.size(); ++i) by_kernel[plan.steps[i].call.kernel] += steps[i].total;
  const double most = total_of(steps) / 200;
  std::vector<bool> cold;
  for (const Step& step : plan.steps) cold.push_back(mode != Mode::size && by_kernel[step.call.kernel] < most);
  return cold;
}

}  // namespace mote
