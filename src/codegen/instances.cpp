// SPDX-License-Identifier: Apache-2.0
#include "codegen/instances.hpp"

#include <map>
#include <numeric>

#include "codegen/strips.hpp"

namespace mote {

namespace {

double elements_of(const Graph& graph, const std::vector<TensorId>& ids) {
  int64_t count = 0;
  for (const TensorId id : ids) {
    if (id != no_tensor && !graph.tensors[id].constant()) count += elements(graph.tensors[id].type.shape);
  }
  return static_cast<double>(count);
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

// The share of a model's instructions that a copy must save to be worth its flash.
double least_saving(Mode mode) {
  switch (mode) {
    case Mode::size: return 2;  // nothing saves as much
    case Mode::balanced: return 0.02;
    case Mode::speed: return 0.0025;
  }
  fail("unknown mode {}", static_cast<int>(mode));
}

}  // namespace

StepInstructions rough_instructions(const Graph& graph, const Step& step) {
  const Node& node = graph.nodes[step.node];
  const int64_t macs = node.op->work(inputs_of(graph, node), output_types(graph, node)).macs;
  const double total =
      3.0 * static_cast<double>(macs) + 4.0 * elements_of(graph, node.in) + 8.0 * elements_of(graph, node.out);
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

std::vector<bool> specialised_steps(const Graph& graph, const Plan& plan, Mode mode) {
  const std::vector<StepInstructions> steps = all_instructions(graph, plan);
  const std::vector<size_t> instances = equal_instances(plan);
  std::vector<double> saved(steps.size(), 0.0);
  for (size_t i = 0; i < steps.size(); ++i) saved[instances[i]] += steps[i].saved;
  const double least = least_saving(mode) * total_of(steps);
  std::vector<bool> own;
  for (const size_t instance : instances) own.push_back(saved[instance] > least);
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
