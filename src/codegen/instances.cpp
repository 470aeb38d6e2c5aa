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
constexpr double share_of_speed = 0.90;

}  // namespace

StepInstructions rough_instructions(const Graph& graph, const Step& step) {
  const Node& node = graph.nodes[step.node];
  const int64_t macs = node.op->work(inputs_of(graph, node), output_types(graph, node)).macs;
  const Estimate& estimate = step.call.estimate;
  const double total = estimate.instructions >= 0
                           ? estimate.instructions
                           : rough_count(macs, elements_of(graph, node.in), elements_of(graph, node.out));
  return {total, estimate.own_saves >= 0 ? estimate.own_saves : 0.25 * total};
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

// About what calls take in bytes of code: of a shared kernel beside the layer's parameters and pointers, and of a
// copy that serves several layers.
constexpr double shared_call_bytes = 14, copy_call_bytes = 30;

// A step's parameters, pointers and call of a kernel that layers share.
double record_bytes(const Call& call) {
  double bytes = shared_call_bytes + static_cast<double>(call.params_bytes);
  for (const Argument& argument : call.arguments) bytes += argument.kind == Argument::Kind::constant ? 4 : 2;
  return bytes;
}

// What copies of kernels save, and what they take.
struct Copies {
  std::set<size_t> instances;
  double saved = 0, bytes = 0;
  int users = 0;

  void add(const Copies& other) {
    instances.insert(other.instances.begin(), other.instances.end());
    saved += other.saved, bytes += other.bytes, users += other.users;
  }
  [[nodiscard]] double worth() const { return bytes <= 0 ? saved * 1e6 : saved / bytes; }
};

// The kernels that layers share, and a copy for each of their instances.
struct SharedKernel {
  double bytes = 0;
  std::map<size_t, Copies> copies;

  // Without the last one the kernel is gone.
  [[nodiscard]] Copies all() const {
    Copies all{{}, 0, -bytes, 0};
    for (const auto& [instance, copy] : copies) all.add(copy);
    return all;
  }
};

class Choice {
 public:
  Choice(const Plan& plan, const std::vector<StepInstructions>& steps) : total_(total_of(steps)) {
    const std::vector<size_t> instances = equal_instances(plan);
    std::map<std::string, std::vector<size_t>> users;
    std::map<size_t, int> alike;
    for (size_t i = 0; i < steps.size(); ++i) {
      users[plan.steps[i].call.kernel].push_back(i);
      ++alike[instances[i]];
    }
    for (const auto& [kernel, layers] : users) {
      if (layers.size() > 1) {
        add_kernel(plan, steps, instances, alike, layers);
      } else {
        total_ -= steps[layers[0]].saved;  // its parameters are constants anyhow
      }
    }
  }

  [[nodiscard]] double total() const { return total_; }  // instructions, with what is chosen
  [[nodiscard]] const std::set<size_t>& chosen() const { return chosen_; }

  // Copies that save more than `least` instructions; the last two of a kernel take about as much flash as it does.
  void take_saving_more(double least) {
    for (SharedKernel& kernel : kernels_) {
      Copies copies;
      for (const auto& [instance, copy] : kernel.copies) {
        if (copy.saved > least) copies.add(copy);
      }
      take(kernel, copies);
      const Copies all = kernel.all();
      if (all.saved > 0 && kernel.copies.size() <= 2) take(kernel, all);
    }
  }

  // Copies that save most for their bytes, until `most` instructions are left; and all that save bytes.
  void take_until(double most) {
    while (true) {
      SharedKernel* best = nullptr;
      Copies copies;
      const auto compare = [&](SharedKernel& kernel, const Copies& other) {
        if (other.saved <= 0 || (best != nullptr && other.worth() <= copies.worth())) return;
        best = &kernel, copies = other;
      };
      for (SharedKernel& kernel : kernels_) {
        const Copies all = kernel.all();
        if (all.bytes <= 0) compare(kernel, all);
        for (const auto& [instance, copy] : kernel.copies) {
          const bool one_left = all.users - copy.users == 1;  // which then has the kernel for itself
          compare(kernel, one_left || all.bytes < copy.bytes ? all : copy);
        }
      }
      if (best == nullptr || (copies.bytes > 0 && total_ <= most)) return;
      take(*best, copies);
    }
  }

 private:
  void add_kernel(const Plan& plan, const std::vector<StepInstructions>& steps,
                  const std::vector<size_t>& instances, const std::map<size_t, int>& alike,
                  const std::vector<size_t>& layers) {
    SharedKernel kernel{plan.steps[layers[0]].call.estimate.shared_bytes, {}};
    for (const size_t i : layers) {
      const Call& call = plan.steps[i].call;
      Copies& copy = kernel.copies[instances[i]];
      if (copy.instances.empty()) copy = {{instances[i]}, 0, call.estimate.own_bytes, 0};
      copy.saved += steps[i].saved;
      ++copy.users;
      copy.bytes += (alike.at(instances[i]) > 1 ? copy_call_bytes : 0) - record_bytes(call);
    }
    kernels_.push_back(std::move(kernel));
  }

  void take(SharedKernel& kernel, const Copies& copies) {
    for (const size_t instance : copies.instances) kernel.copies.erase(instance);
    chosen_.insert(copies.instances.begin(), copies.instances.end());
    total_ -= copies.saved;
  }

  double total_;
  std::set<size_t> chosen_;
  std::vector<SharedKernel> kernels_;
};

}  // namespace

std::vector<bool> specialised_steps(const Graph& graph, const Plan& plan, Mode mode) {
  const std::vector<StepInstructions> steps = all_instructions(graph, plan);
  if (mode == Mode::size) return std::vector<bool>(steps.size(), false);
  Choice fast(plan, steps);
  fast.take_saving_more(least_saving * total_of(steps));
  fast.take_until(fast.total());
  Choice balanced(plan, steps);
  balanced.take_until(fast.total() / share_of_speed);
  const std::set<size_t>& chosen = (mode == Mode::speed ? fast : balanced).chosen();
  std::vector<bool> own;
  for (const size_t instance : equal_instances(plan)) own.push_back(chosen.count(instance) != 0);
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
