// SPDX-License-Identifier: Apache-2.0
#include "measure/measure.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/emulate.hpp"
#include "simulate/simulate.hpp"

namespace mote {

namespace {

std::vector<int64_t> sizes_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<int64_t> sizes;
  for (const TensorId id : ids) sizes.push_back(byte_size(graph.tensors[id].type));
  return sizes;
}

EmulateResult emulate_model(const Compiled& model, const Target& target, Mode mode,
                            const std::vector<std::vector<Bytes>>& inputs, bool profile,
                            const std::vector<bool>& continues) {
  const TemporaryDirectory directory;
  for (const GeneratedFile& file : generate(model.graph, model.plan, mode)) {
    std::filesystem::create_directories((directory.path() / file.path).parent_path());
    write_file(directory.path() / file.path, file.text);
  }
  return emulate({.target = target,
                  .model_directory = directory.path(),
                  .name = model.graph.name,
                  .input_bytes = sizes_of(model.graph, model.graph.inputs),
                  .output_bytes = sizes_of(model.graph, model.graph.outputs),
                  .steps = model.plan.steps.size(),
                  .arenas = arenas_of(model.plan).size(),
                  // Where the emulated machine has one core, NAME_run computes both parts in turn.
                  .cores = target.two_cores_arguments.empty() ? 1 : static_cast<size_t>(model.plan.cores),
                  .stream_input = streams_input(model.plan),
                  .cases = inputs,
                  .continues = continues,
                  .optimize = compiler_flags(target, mode),
                  .profile = profile});
}

Sizes sizes_from(const EmulateResult& result) {
  return {.code_bytes = result.code_bytes,
          .weight_bytes = result.weight_bytes,
          .harness_bytes = result.harness_bytes,
          .stack_bound_bytes = result.stack_bound_bytes,
          .library_ram_bytes = result.library_ram_bytes,
          .step_code_bytes = result.step_code_bytes};
}

// The emulator tells those of core 0, then those of core 1.
void take_steps(std::vector<int64_t> all, const Plan& plan, Measurement& measured) {
  measured.step_instructions = std::move(all);
  const auto steps = static_cast<ptrdiff_t>(plan.steps.size());
  if (measured.step_instructions.size() <= plan.steps.size()) return;
  const auto begin = measured.step_instructions.begin();
  measured.core_step_instructions = {{begin, begin + steps}, {begin + steps, measured.step_instructions.end()}};
  measured.step_instructions.resize(static_cast<size_t>(steps));
  for (size_t i = 0; i < measured.step_instructions.size(); ++i)
    measured.step_instructions[i] = std::max(measured.step_instructions[i], measured.core_step_instructions[1][i]);
}

}  // namespace

std::string compiler_flags(const Target& target, Mode mode) {
  switch (mode) {
    case Mode::size: return std::string(target.size_flags);
    case Mode::balanced:
    case Mode::speed: return std::string(target.speed_flags);
  }
  fail("unknown mode {}", static_cast<int>(mode));
}

std::optional<Sizes> measure_sizes(const Compiled& model, const Target& target, Mode mode) {
  if (target.emulator.empty()) return std::nullopt;
  return sizes_from(emulate_model(model, target, mode, {}, false, {}));
}

void check_fits(const Compiled& model, const Sizes& sizes, const Limits& limits) {
  const int64_t arena = model.plan.arena_bytes;
  const int64_t stack = model.plan.cores * sizes.stack_bound_bytes;
  const int64_t ram = arena + stack + sizes.library_ram_bytes;
  require(!limits.ram_bytes || ram <= *limits.ram_bytes,
          "{} does not fit\nRAM: arena {} B + stack {} B = {} B, {} B are allowed: {} B too many",
          model.graph.name, arena, stack, ram, limits.ram_bytes.value_or(0), ram - limits.ram_bytes.value_or(0));
  const int64_t flash = sizes.weight_bytes + sizes.code_bytes;
  require(
      !limits.flash_bytes || flash <= *limits.flash_bytes,
      "{} does not fit\nflash: weights {} B + code {} B = {} B, {} B are allowed: {} B too many; --optimize size "
      "takes the least code",
      model.graph.name, sizes.weight_bytes, sizes.code_bytes, flash, limits.flash_bytes.value_or(0),
      flash - limits.flash_bytes.value_or(0));
}

Measurement measure(const Compiled& model, const Target& target, Mode mode,
                    const std::vector<std::vector<Bytes>>& inputs, bool profile,
                    const std::vector<bool>& continues) {
  Measurement measured;
  if (target.emulator.empty()) {
    Simulator simulator(model.graph, model.plan);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (i >= continues.size() || !continues[i]) simulator.reset();
      measured.outputs.push_back(simulator.run(inputs[i]));
    }
    return measured;
  }
  EmulateResult result = emulate_model(model, target, mode, inputs, profile, continues);
  measured.sizes = sizes_from(result);
  measured.outputs = std::move(result.outputs);
  measured.instructions = std::move(result.instructions);
  take_steps(std::move(result.step_instructions), model.plan, measured);
  if (!result.core_instructions.empty()) measured.core_instructions = result.core_instructions[0];
  measured.stack_peak_bytes = result.stack_peak_bytes;
  measured.stack_total_bytes = result.stack_total_bytes;
  return measured;
}

}  // namespace mote
