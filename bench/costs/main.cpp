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
#include "strips.hpp"
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
  int64_t most_macs = 8'000'000, most_float_macs = 3'000'000;
  size_t most_models = 10, most_shape_models = 3, most_strip_models = 9;
  bool strips_only = false;
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

// Every model of the folder that is not too large to emulate, sorted by name.
std::vector<Compiled> read_models(const Flags& flags) {
  std::set<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(flags.models)) {
    if (entry.path().extension() == ".tflite" || entry.path().extension() == ".onnx") files.insert(entry.path());
  }
  std::vector<Compiled> models;
  for (const fs::path& file : files) {
    try {
      Compiled model = compile_file(file);
      const int64_t most = is_float(model.graph) ? flags.most_float_macs : flags.most_macs;
      if (total_macs(model.graph) <= most && !model.plan.steps.empty()) models.push_back(std::move(model));
    } catch (const Error& problem) {
      fmt::print(stderr, "left out: {}\n", std::string(problem.what()).substr(0, 160));
    }
  }
  return models;
}

// What a layer shows: its kernel, and about which extents its loops have.
using Shown = std::pair<std::string, std::array<int, 3>>;

std::set<Shown> kernels_of(const Compiled& model) {
  std::set<Shown> shown;
  for (const Step& step : model.plan.steps) shown.insert({cost_name(step.call.kernel), {}});
  return shown;
}

std::set<Shown> shapes_of(const Compiled& model) {
  std::set<Shown> shown;
  for (const Step& step : model.plan.steps) {
    const StepWork work = work_of(model.graph, step);
    const auto [calls, visits, outputs, inputs, pixels, patches, runs, vectors] = work;
    const auto extent = [&](double amount, double of) {
      return static_cast<int>(std::log2(1 + amount / std::max(1.0, of)));
    };
    shown.insert(
        {cost_name(step.call.kernel), {extent(outputs, pixels), extent(visits, outputs), extent(visits, runs)}});
  }
  return shown;
}

using Show = std::set<Shown> (*)(const Compiled& model);

// The `count` models that show most which others have not shown `often` times, the smaller one of two that show as
// much: measuring all takes hours and tells little more.
void choose_models(size_t count, int often, Show show, std::vector<Compiled>& models,
                   std::vector<Compiled>& chosen) {
  std::map<Shown, int> seen;
  for (const Compiled& model : chosen) {
    for (const Shown& one : show(model)) ++seen[one];
  }
  const auto news_of = [&](const Compiled& model) {
    const std::set<Shown> shown = show(model);
    return std::count_if(shown.begin(), shown.end(), [&](const Shown& one) { return seen[one] < often; });
  };
  for (; count > 0 && !models.empty(); --count) {
    const auto best = std::min_element(models.begin(), models.end(), [&](const Compiled& a, const Compiled& b) {
      const auto news_a = news_of(a), news_b = news_of(b);
      return news_a != news_b ? news_a > news_b : total_macs(a.graph) < total_macs(b.graph);
    });
    for (const Shown& one : show(*best)) ++seen[one];
    chosen.push_back(std::move(*best));
    models.erase(best);
  }
}

// The smallest models, of different names, that run in strips when the least arena is asked for.
std::vector<Compiled> choose_strip_models(const Flags& flags, const std::vector<Compiled>& models) {
  std::vector<const Compiled*> smallest;
  for (const Compiled& model : models) smallest.push_back(&model);
  std::stable_sort(smallest.begin(), smallest.end(), [](const Compiled* a, const Compiled* b) {
    return total_macs(a->graph) < total_macs(b->graph);
  });
  std::vector<Compiled> chosen;
  for (const Compiled* const model : smallest) {
    if (chosen.size() == flags.most_strip_models) break;
    const Plan strips = make_plan(model->graph, plan_options(Mode::size));
    if (!strips.segments.empty()) chosen.push_back(*model);
  }
  return chosen;
}

// For cores of this kind.
std::vector<Job> all_jobs(const Core& core, const std::vector<Compiled>& models) {
  std::vector<Job> jobs;
  for (const Graph& graph : kernel_graphs(core)) {
    const Compiled model{graph, make_plan(graph, core)};
    for (const bool for_size : {false, true}) {
      for (const Mode mode : {Mode::speed, Mode::size})
        jobs.push_back({graph.name, model, {mode, for_size}, false});
    }
  }
  for (const Compiled& model : models) {
    for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed})
      jobs.push_back({model.graph.name, planned_for(model, core), {mode, mode == Mode::size}, true});
  }
  return jobs;
}

std::string last_words(const std::string& text) {
  return text.size() <= 400 ? text : "..." + text.substr(text.size() - 400);
}

// What kept the job from being measured; empty: nothing. Where the kernels of a made model cannot be measured
// together, each is by itself: `found` gets an observation more.
std::string observe_job(const Flags& flags, const Target& target, const Job& job,
                        std::vector<Observation>& found) {
  const auto attempt = [&](const Compiled& model) -> std::string {
    try {
      found.push_back(observe(model, target, job.way, job.real, flags.cache));
      return "";
    } catch (const std::exception& problem) {
      return fmt::format("left out on {}: {}: {}\n", target.name, model.graph.name, last_words(problem.what()));
    }
  };
  std::string problem = attempt(job.model);
  if (problem.empty() || job.real) return problem;
  problem.clear();
  for (const Graph& graph : kernels_apart(job.model)) problem += attempt({graph, make_plan(graph, target.core)});
  return problem;
}

// [job]; empty where the machine could not hold or run it.
using Observations = std::vector<std::vector<Observation>>;

Observations observe_all(const Flags& flags, const Target& target, const std::vector<Job>& jobs) {
  Observations observations(jobs.size());
  std::atomic<size_t> next = 0, done = 0;
  std::mutex printing;
  const auto work = [&] {
    for (size_t i = next++; i < jobs.size(); i = next++) {
      const std::string problem = observe_job(flags, target, jobs[i], observations[i]);
      const std::lock_guard lock(printing);
      if (!problem.empty()) fmt::print(stderr, "{}", problem);
      if (++done % 20 == 0 || done == jobs.size())
        fmt::print(stderr, "{}: {} of {} measured\n", target.name, done.load(), jobs.size());
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

std::vector<const Observation*> all_of(const Observations& observations) {
  std::vector<const Observation*> all;
  for (const std::vector<Observation>& found : observations) {
    for (const Observation& observation : found) all.push_back(&observation);
  }
  return all;
}

std::vector<const Observation*> without(const Observations& observations, const Observation& left) {
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
void leave_one_out(const std::vector<Job>& jobs, const Observations& observations, CostTable& table) {
  std::map<std::string, std::vector<Miss>> misses;
  std::string line, model;
  fmt::print(
      "\n| model on {} | size: instr % | code % | stack % | balanced: instr % | code % | stack % | speed: "
      "instr % | code % | stack % |\n|---|---|---|---|---|---|---|---|---|---|\n",
      table.target);
  CostTable other;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!jobs[i].real || observations[i].empty()) continue;
    const Observation& exact = observations[i][0];
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

std::vector<StripPair> observe_all_strips(const Flags& flags, const Target& target,
                                          const std::vector<Compiled>& models) {
  std::vector<StripPair> pairs;
  for (const Compiled& model : models) {
    const Compiled whole = planned_for(model, target.core);
    const Compiled strips = planned_for(model, plan_options(Mode::size, target.core));
    try {
      for (const bool for_size : {false, true})
        pairs.push_back(observe_strips(whole, strips, target, for_size, flags.cache));
    } catch (const std::exception& problem) {
      fmt::print(stderr, "left out on {} in strips: {}: {}\n", target.name, model.graph.name,
                 last_words(problem.what()));
    }
  }
  return pairs;
}

CostTable measured_table(const Flags& flags, const Target& target, const std::vector<Compiled>& models,
                         std::map<Core, std::vector<Job>>& jobs) {
  if (jobs.count(target.core) == 0) jobs[target.core] = all_jobs(target.core, models);
  const Observations observations = observe_all(flags, target, jobs[target.core]);
  CostTable table = fit_table(std::string(target.name), all_of(observations));
  leave_one_out(jobs[target.core], observations, table);
  return table;
}

// Objects down to `depth` have a line for each member; what lies deeper is one line.
std::string lines_of(const nlohmann::ordered_json& json, int depth, const std::string& indent = "\n") {
  if (depth == 0 || !json.is_object() || json.empty()) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items())
    text += fmt::format("{}{} {}: {}", text.empty() ? "{" : ",", indent, nlohmann::json(key).dump(),
                        lines_of(value, depth - 1, indent + " "));
  return text + indent + "}";
}

void write_costs(const Flags& flags) {
  std::vector<Compiled> models, strip_models;
  if (!flags.models.empty()) {
    models = read_models(flags);
    strip_models = choose_strip_models(flags, models);
    std::vector<Compiled> chosen;
    choose_models(flags.most_models, 2, kernels_of, models, chosen);
    choose_models(flags.most_shape_models, 1, shapes_of, models, chosen);
    models = std::move(chosen);
  }
  std::map<Core, std::vector<Job>> jobs;
  for (const Target* const target : target::all()) {
    const bool asked = flags.targets.empty() ||
                       std::find(flags.targets.begin(), flags.targets.end(), target->name) != flags.targets.end();
    if (!asked || target->emulator.empty()) continue;
    CostTable table = flags.strips_only ? costs_of(*target) : measured_table(flags, *target, models, jobs);
    if (!table.measured_on.empty()) continue;  // a relative's
    const std::vector<StripPair> strips = observe_all_strips(flags, *target, strip_models);
    table.speed_strips = fit_strips(strips, false);
    table.size_strips = fit_strips(strips, true);
    report_strips(table.target, strips);
    write_file(flags.output / fmt::format("{}.json", target->name), lines_of(costs_json(table), 4) + "\n");
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
  app.add_option("--most-models", flags.most_models, "of the folder: those that show most kernels")
      ->capture_default_str();
  app.add_option("--most-shape-models", flags.most_shape_models,
                 "of the folder: those that show most extents of layers")
      ->capture_default_str();
  app.add_option("--most-strip-models", flags.most_strip_models, "of the folder: those measured in row strips")
      ->capture_default_str();
  app.add_flag("--strips-only", flags.strips_only, "measure row strips, keep what else the program's tables say");
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
