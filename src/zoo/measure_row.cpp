// SPDX-License-Identifier: Apache-2.0
#include "zoo/measure_row.hpp"

#include <chrono>

#include "measure/measure.hpp"
#include "verify/golden.hpp"

namespace mote {

namespace {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Measurement measured(const Compiled& model, const Target& target, Mode mode, Detail detail) {
  check_fits(model, {.ram_bytes = target.ram_bytes > 0 ? std::optional(target.ram_bytes) : std::nullopt,
                     .flash_bytes = target.flash_bytes > 0 ? std::optional(target.flash_bytes) : std::nullopt});
  if (detail == Detail::sizes) {
    Measurement sizes_only;
    sizes_only.sizes = measure_sizes(model, target, mode);
    return sizes_only;
  }
  std::mt19937 random(1);
  return measure(model, target, mode, {random_case(model.graph, random, "random").inputs},
                 detail == Detail::layers);
}

void add_compiled(BookRow& row, const Compiled& model) {
  row.macs = total_macs(model.graph);
  row.arena_bytes = model.plan.arena_bytes;
  row.lower_bound_bytes = model.plan.lower_bound_bytes;
  row.weight_bytes = flash_data(model.plan).weight_bytes;
  for (const Step& step : model.plan.steps) {
    const Node& node = model.graph.nodes[step.node];
    row.layers.push_back({node.origin, std::string(node.op->name()), step.call.kernel, macs_of(model.graph, node),
                          std::nullopt, std::nullopt});
  }
}

void add_measured(BookRow& row, const Measurement& measurement) {
  if (!measurement.instructions.empty()) row.instructions = measurement.instructions[0];
  row.stack_peak_bytes = measurement.stack_peak_bytes;
  for (size_t i = 0; i < measurement.step_instructions.size(); ++i)
    row.layers.at(i).instructions = measurement.step_instructions[i];
  if (!measurement.sizes) return;
  row.code_bytes = measurement.sizes->code_bytes;
  row.weight_bytes = measurement.sizes->weight_bytes;
  row.stack_bound_bytes = measurement.sizes->stack_bound_bytes;
  row.library_ram_bytes = measurement.sizes->library_ram_bytes;
  for (size_t i = 0; i < measurement.sizes->step_code_bytes.size(); ++i)
    if (measurement.sizes->step_code_bytes[i] > 0)
      row.layers.at(i).code_bytes = measurement.sizes->step_code_bytes[i];
}

// A book shall not depend on the folder in which the models lie.
std::string without_path(std::string text, const std::filesystem::path& model) {
  const std::string prefix = model.string() + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

}  // namespace

BookRow measure_row(const std::filesystem::path& model, const Target& target, Mode mode, BookRow row) {
  try {
    std::error_code unreadable;
    const auto bytes = std::filesystem::file_size(model, unreadable);
    if (!unreadable) row.model_bytes = static_cast<int64_t>(bytes);
    const Stopwatch compiling;
    const Compiled compiled = compile_file(model, {}, plan_options(mode, target.core));
    row.compile_seconds = compiling.seconds();
    add_compiled(row, compiled);
    const Stopwatch measuring;
    const Measurement measurement = measured(compiled, target, mode, row.detail);
    if (!target.emulator.empty()) row.measure_seconds = measuring.seconds();
    add_measured(row, measurement);
  } catch (const std::exception& problem) {
    row.error = without_path(problem.what(), model);
  }
  return row;
}

}  // namespace mote
