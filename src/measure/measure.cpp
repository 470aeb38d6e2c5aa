// SPDX-License-Identifier: Apache-2.0
#include "measure/measure.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>

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
                  .shared = shared_functions(model.graph, model.plan, mode),
                  .arenas = arenas_of(model.plan).size(),
                  // Where the emulated machine has one core, NAME_run computes both parts in turn.
                  .cores = target.two_cores_arguments.empty() ? 1 : static_cast<size_t>(model.plan.cores),
                  .stream_input = streams_input(model.plan),
                  .cases = inputs,
                  .continues = continues,
                  .optimize = compiler_flags(target, mode),
                  .profile = profile});
}

// "multiply_4x4" of "_ZN2nnL12multiply_4x4EPKa"; other names are their own.
std::string plain_name(const std::string& member) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(member.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0) return member;
  const std::string_view whole = text.get();
  const size_t space = whole.find("nn::"), begin = space == std::string_view::npos ? 0 : space + 4;
  return std::string(whole.substr(begin, whole.find_first_of("<(", begin) - begin));
}

std::vector<SharedCode> shared_code(const EmulateResult& result, const Plan& plan,
                                    const std::vector<std::string>& functions) {
  std::vector<SharedCode> all;
  for (const auto& [function, bytes] : result.shared_code_bytes) {
    SharedCode& code = all.emplace_back(SharedCode{function, bytes, {}, true});
    for (size_t step = 0; step < functions.size(); ++step) {
      if (functions[step] == function) code.steps.push_back(step);
    }
    const std::string& kernel = plan.steps.at(code.steps.at(0)).call.kernel;
    if (function == shared_symbol(kernel)) code.name = kernel;
  }
  std::map<std::string, int64_t> members;
  for (const MapSection& section : result.sections) {
    if (is_code(section)) members[library_member(section)] += section.bytes;
  }
  for (const auto& [member, bytes] : members) {
    SharedCode code{plain_name(member), bytes, {}, false};
    for (size_t step = 0; step < result.step_libraries.size(); ++step) {
      if (result.step_libraries[step].count(member) != 0) code.steps.push_back(step);
    }
    if (!code.steps.empty()) all.push_back(std::move(code));
  }
  return all;
}

Sizes sizes_from(const EmulateResult& result, const Plan& plan, const std::vector<std::string>& functions) {
  return {.code_bytes = result.code_bytes,
          .weight_bytes = result.weight_bytes,
          .harness_bytes = result.harness_bytes,
          .stack_bound_bytes = result.stack_bound_bytes,
          .library_ram_bytes = result.library_ram_bytes,
          .step_code_bytes = result.step_code_bytes,
          .step_stack_bytes = result.step_stack_bytes,
          .shared_code = shared_code(result, plan, functions)};
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
  return sizes_from(emulate_model(model, target, mode, {}, false, {}), model.plan,
                    shared_functions(model.graph, model.plan, mode));
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
  measured.sizes = sizes_from(result, model.plan, shared_functions(model.graph, model.plan, mode));
  measured.outputs = std::move(result.outputs);
  measured.instructions = std::move(result.instructions);
  take_steps(std::move(result.step_instructions), model.plan, measured);
  if (!result.core_instructions.empty()) measured.core_instructions = result.core_instructions[0];
  measured.stack_peak_bytes = result.stack_peak_bytes;
  measured.stack_total_bytes = result.stack_total_bytes;
  return measured;
}

}  // namespace mote
