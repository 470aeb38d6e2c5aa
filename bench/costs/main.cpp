// SPDX-License-Identifier: Apache-2.0
// Measures every kernel on emulated targets and writes the cost tables that `mote fit` estimates with; prints how
// far the estimates are off for models whose own measurements were left out.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <iostream>
#include <mutex>
#include <thread>

#include "base/files.hpp"
#include "compile/compile.hpp"
#include "fit.hpp"
#include "plan/make_plan.hpp"
#include "samples.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace {

using namespace mote;
using namespace mote::costs;
namespace fs = std::filesystem;

struct Flags {
  std::vector<std::string> targets;
  fs::path models, output = "costs", cache = "build/costs";
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  int64_t most_macs = 25'000'000, most_float_macs = 8'000'000;
};

struct Job {
  std::string name;
  Compiled model;
  Way way;
  bool real;
};

bool is_float(const Graph& graph) {
  return std::any_of(graph.tensors.begin(), graph.tensors.end(), [](const Tensor& tensor) {
    return !tensor.constant() && tensor.type.dtype == DType::f32 && tensor.type.quant.empty();
  });
}

void add_real_models(const Flags& flags, std::vector<Job>& jobs) {
  if (flags.models.empty()) return;
  std::set<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(flags.models)) {
    if (entry.path().extension() == ".tflite") files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    try {
      const Compiled model = compile_file(file);
      const int64_t most = is_float(model.graph) ? flags.most_float_macs : flags.most_macs;
      if (total_macs(model.graph) > most) continue;
      for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed})
        jobs.push_back({model.graph.name, model, {mode, mode == Mode::size}, true});
    } catch (const Error& problem) {
      fmt::print(stderr, "left out: {}\n", std::string(problem.what()).substr(0, 160));
    }
  }
}

std::vector<Job> all_jobs(const Flags& flags) {
  std::vector<Job> jobs;
  for (const auto& [kernel, graph] : kernel_graphs()) {
    const Compiled model{graph, make_plan(graph)};
    for (const bool for_size : {false, true}) {
      for (const Mode mode : {Mode::speed, Mode::size}) jobs.push_back({kernel, model, {mode, for_size}, false});
    }
  }
  add_real_models(flags, jobs);
  return jobs;
}

// One an entry of `jobs`; empty where the machine could not hold or run it.
std::vector<Observation> observe_all(const Flags& flags, const Target& target, const std::vector<Job>& jobs) {
  std::vector<Observation> observations(jobs.size());
  std::atomic<size_t> next = 0;
  std::mutex printing;
  const auto work = [&] {
    for (size_t i = next++; i < jobs.size(); i = next++) {
      try {
        observations[i] = observe(jobs[i].model.graph, jobs[i].model.plan, target, jobs[i].way, flags.cache);
        observations[i].real = jobs[i].real;
      } catch (const Error& problem) {
        const std::lock_guard lock(printing);
        fmt::print(stderr, "left out on {}: {}: {}\n", target.name, jobs[i].name,
                   std::string(problem.what()).substr(0, 300));
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < flags.jobs; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return observations;
}

bool same_work(const ObservedStep& a, const ObservedStep& b) { return a.kernel == b.kernel && a.work == b.work; }

// Models of one family share most layers: leaving one out means leaving its family out.
bool relatives(const Observation& a, const Observation& b) {
  const auto shared = std::count_if(a.steps.begin(), a.steps.end(), [&](const ObservedStep& step) {
    return std::any_of(b.steps.begin(), b.steps.end(),
                       [&](const ObservedStep& other) { return same_work(step, other); });
  });
  return 2 * shared >= std::ssize(a.steps);
}

std::vector<const Observation*> all_of(const std::vector<Observation>& observations) {
  std::vector<const Observation*> all;
  for (const Observation& observation : observations) {
    if (!observation.steps.empty()) all.push_back(&observation);
  }
  return all;
}

std::vector<const Observation*> without(const std::vector<Observation>& observations, const Observation& left) {
  std::vector<const Observation*> rest = all_of(observations);
  std::erase_if(rest, [&](const Observation* one) { return one->real && relatives(left, *one); });
  return rest;
}

struct Miss {
  double instructions = 0, code = 0, stack = 0;
};

CostError error_of(std::vector<double> misses) {
  for (double& miss : misses) miss = std::abs(miss);
  std::sort(misses.begin(), misses.end());
  return {misses[misses.size() / 2], misses.back()};
}

std::string percent(double fraction) { return fmt::format("{:+.1f}", 100 * fraction); }

// Each real model estimated with a table that has not seen it; one line a model, all modes.
void leave_one_out(const std::vector<Job>& jobs, const std::vector<Observation>& observations, CostTable& table) {
  std::map<std::string, std::vector<Miss>> misses;
  std::string line, model;
  fmt::print(
      "\n| model on {} | size: instr % | code % | stack % | balanced: instr % | code % | stack % | speed: "
      "instr % | code % | stack % |\n|---|---|---|---|---|---|---|---|---|---|\n",
      table.target);
  CostTable other;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Observation& exact = observations[i];
    if (!jobs[i].real || exact.steps.empty()) continue;
    if (exact.model != model) {
      if (!line.empty()) fmt::print("{} |\n", line);
      model = exact.model;
      line = "| " + model;
      other = fit_table(table.target, without(observations, exact));
    }
    const Compiled& compiled = jobs[i].model;
    const CostEstimate guess = estimate_costs(other, compiled.graph, compiled.plan, jobs[i].way.mode);
    const Miss miss{guess.instructions / exact.instructions - 1,
                    static_cast<double>(guess.code_bytes) / exact.code_bytes - 1,
                    static_cast<double>(guess.stack_bytes) / std::max(16.0, exact.stack_bytes) - 1};
    misses[std::string(name(jobs[i].way.mode))].push_back(miss);
    line += fmt::format(" | {} | {} | {}", percent(miss.instructions), percent(miss.code), percent(miss.stack));
  }
  if (!line.empty()) fmt::print("{} |\n", line);
  for (const auto& [mode, all] : misses) {
    std::vector<double> instructions, code, stack;
    for (const Miss& miss : all) {
      instructions.push_back(miss.instructions);
      code.push_back(miss.code);
      stack.push_back(miss.stack);
    }
    const ModeError error{error_of(instructions), error_of(code), error_of(stack),
                          static_cast<int64_t>(all.size())};
    table.errors[mode] = error;
    fmt::print(
        "{} {}: instructions {:.1f} % typical, {:.1f} % worst; code {:.1f} %, {:.1f} %; stack {:.1f} %, "
        "{:.1f} %\n",
        table.target, mode, 100 * error.instructions.typical, 100 * error.instructions.worst,
        100 * error.code.typical, 100 * error.code.worst, 100 * error.stack.typical, 100 * error.stack.worst);
  }
}

void write_costs(const Flags& flags) {
  const std::vector<Job> jobs = all_jobs(flags);
  for (const Target* const target : target::all()) {
    const bool asked = flags.targets.empty() ||
                       std::find(flags.targets.begin(), flags.targets.end(), target->name) != flags.targets.end();
    if (!asked || target->emulator.empty()) continue;
    const std::vector<Observation> observations = observe_all(flags, *target, jobs);
    CostTable table = fit_table(std::string(target->name), all_of(observations));
    leave_one_out(jobs, observations, table);
    write_file(flags.output / fmt::format("{}.json", target->name), costs_json(table).dump(1) + "\n");
    std::cout.flush();
  }
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Measures what every kernel costs on emulated targets, for the estimates of `mote fit`."};
  Flags flags;
  app.add_option("--target", flags.targets, "emulated targets; all when absent");
  app.add_option("--models", flags.models, "folder with real models that sharpen the fit and measure its error");
  app.add_option("-o,--output", flags.output, "folder for TARGET.json")->capture_default_str();
  app.add_option("--cache", flags.cache, "folder that keeps measurements")->capture_default_str();
  app.add_option("-j,--jobs", flags.jobs, "builds at once")->capture_default_str();
  app.add_option("--most-macs", flags.most_macs, "leave larger models out")->capture_default_str();
  app.add_option("--most-float-macs", flags.most_float_macs, "leave larger float models out")
      ->capture_default_str();
  CLI11_PARSE(app, count, arguments);
  try {
    for (const std::string& target : flags.targets) static_cast<void>(find_target(target));
    fs::create_directories(flags.output);
    write_costs(flags);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "mote_costs: error: {}\n", problem.what());
    return 1;
  }
  return 0;
}
