// SPDX-License-Identifier: Apache-2.0
// mote verify: every output byte against golden vectors, or against unplanned kernels on the host.
#include "commands.hpp"
#include "common.hpp"
#include "simulate/simulate.hpp"
#include "verify/golden.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFlags model;
  std::string golden;
  std::optional<size_t> count;
};

// Golden cases, or random inputs whose outputs the host computes with every tensor in memory of its own.
std::vector<Case> expected_cases(const Flags& flags, const Compiled& compiled) {
  std::vector<Case> cases;
  if (!flags.golden.empty()) {
    cases = read_golden(flags.golden, compiled.graph);
    if (flags.count && *flags.count < cases.size()) cases.resize(*flags.count);
    return cases;
  }
  std::mt19937 random(1);
  for (size_t i = 0; i < flags.count.value_or(10); ++i) {
    cases.push_back(random_case(compiled.graph, random, fmt::format("random{}", i)));
    cases.back().outputs = simulate_apart(compiled.graph, compiled.plan, cases.back().inputs);
  }
  return cases;
}

void verify(const Flags& flags) {
  const Loaded loaded = load(flags.model);
  const std::vector<Case> cases = expected_cases(flags, loaded.compiled);
  const Measurement measured = [&] {
    const Progress progress(activity(*loaded.target, true));
    return measure(loaded.compiled, *loaded.target, loaded.mode, inputs_of(cases), false, continues_of(cases));
  }();
  const Comparison comparison = compare(loaded.compiled.graph, cases, measured.outputs);
  if (flags.model.json) {
    nlohmann::ordered_json json =
        report(loaded.compiled, loaded.file_name, *loaded.target, loaded.mode, &measured);
    json["cases"] = comparison.cases;
    json["equal_bytes"] = comparison.equal_bytes;
    json["total_bytes"] = comparison.total_bytes;
    json["max_difference"] = comparison.max_difference;
    print_json(json);
  } else {
    fmt::print("{} on {}: {} cases, {} of {} output bytes equal to {}\n", loaded.file_name, loaded.target->name,
               comparison.cases, comparison.equal_bytes, comparison.total_bytes,
               flags.golden.empty() ? "the host's unplanned kernels (random inputs, seed 1)" : flags.golden);
  }
  if (!comparison.equal()) {
    fmt::print(stderr, "mote: first difference: {}\n", comparison.first_difference);
    throw CLI::RuntimeError(1);
  }
}

}  // namespace

void add_verify(CLI::App& app) {
  auto* const command = app.add_subcommand("verify", "compare every output byte with golden vectors or the host");
  const auto flags = std::make_shared<Flags>();
  add_model_flags(*command, flags->model);
  add_arena_limit(*command, flags->model.ram);
  command->add_option("--golden", flags->golden, "folder with manifest.json, CASE_in0.bin and CASE_out0.bin");
  command->add_option("-n", flags->count, "number of cases: the first n golden ones, or n random ones (10)");
  command->callback([flags] { verify(*flags); });
}

}  // namespace mote::cli
