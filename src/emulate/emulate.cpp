// SPDX-License-Identifier: Apache-2.0
#include "emulate/emulate.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/build.hpp"
#include "emulate/console.hpp"
#include "emulate/process.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

constexpr int64_t header_bytes = 8;

int64_t bytes_of_one_case(const EmulateRequest& request) {
  int64_t bytes = 4;  // whether it goes on from its forerunner's state
  for (const int64_t input : request.input_bytes) bytes += align_up(input, 4);
  return bytes;
}

bool continues(const EmulateRequest& request, size_t index) {
  return index < request.continues.size() && request.continues[index];
}

void check_request(const EmulateRequest& request) {
  require(!request.target.emulator.empty(), "target {} has no emulator; it runs in the simulator",
          request.target.name);
  require(request.arenas >= 1 && request.arenas <= 4,
          "{} has {} arenas; the firmware of the emulated machines passes up to 4", request.name, request.arenas);
  require(request.cores == 1 || !request.target.two_cores_arguments.empty(),
          "the emulated machine of {} has one core; --target rv32imac has two", request.target.name);
  require(request.cores == 1 || request.arenas <= 2,
          "{} has {} arenas; the firmware of the emulated machines passes up to 2 to each of two cores",
          request.name, request.arenas);
  require(!continues(request, 0), "case 0 goes on from a case before it; there is none");
  for (size_t i = 0; i < request.cases.size(); ++i) {
    require(request.cases[i].size() == request.input_bytes.size(), "case {} has {} inputs; the model has {}", i,
            request.cases[i].size(), request.input_bytes.size());
    for (size_t input = 0; input < request.input_bytes.size(); ++input) {
      require(static_cast<int64_t>(request.cases[i][input].size()) == request.input_bytes[input],
              "case {}: input {} has {} bytes; the model takes {}", i, input, request.cases[i][input].size(),
              request.input_bytes[input]);
    }
  }
  require(header_bytes + bytes_of_one_case(request) <= request.target.inputs_bytes,
          "inputs of {} bytes do not fit into the {} bytes that the emulated machine has for them",
          bytes_of_one_case(request), request.target.inputs_bytes);
  require_program(request.target.compiler, request.target.compiler_packages);
  if (!request.target.model_compiler.empty()) require_program(request.target.model_compiler, "clang");
  require_program(request.target.linker, request.target.compiler_packages);
  if (!request.cases.empty()) require_program(request.target.emulator, request.target.emulator_package);
}

// Magic, number of cases, then for each whether it continues and its inputs, each padded to a multiple of 4 bytes.
void write_inputs(const fs::path& path, const EmulateRequest& request, size_t first, size_t count) {
  std::string content = "MOTE";
  for (int shift = 0; shift < 32; shift += 8) content += static_cast<char>((count >> shift) & 0xff);
  for (size_t i = first; i < first + count; ++i) {
    content += std::string(continues(request, i) ? "\1\0\0\0" : "\0\0\0\0", 4);
    for (const Bytes& input : request.cases[i]) {
      content.append(reinterpret_cast<const char*>(input.data()), input.size());
      content.resize(static_cast<size_t>(align_up(static_cast<int64_t>(content.size()), 4)));
    }
  }
  write_file(path, content);
}

// How the emulator runs: `clock` are its arguments for a counter that is exact, or for cores at the same time.
std::string exact_clock(int shift) { return fmt::format("-icount shift={},sleep=off", shift); }

std::string run_emulator(const EmulateRequest& request, const Firmware& firmware, const fs::path& inputs,
                         const std::string& clock) {
  std::vector<std::string> command{std::string(request.target.emulator)};
  for (std::string& word : split_words(std::string(request.target.emulator_arguments) + " " + clock))
    command.push_back(std::move(word));
  for (std::string word :
       {std::string("-display"), std::string("none"), std::string("-monitor"), std::string("none"),
        std::string("-serial"), std::string("stdio"), std::string("-device"),
        fmt::format("loader,file={},addr={:#x},force-raw=on", inputs.string(), request.target.inputs_address),
        std::string("-kernel"), firmware.program.string()}) {
    command.push_back(std::move(word));
  }
  ProcessResult result = run_process(command, request.timeout);
  require(!result.timed_out, "{} did not finish within {} s in {}; its console ends with:\n{}", request.name,
          request.timeout.count(), request.target.emulator, tail(result.output, 8));
  const bool reported = result.output.find("FAULT ") != std::string::npos;
  require(result.exit_status == 0 || reported, "{} ended with status {}: {}", request.target.emulator,
          result.exit_status, tail(result.errors, 8) + tail(result.output, 8));
  return std::move(result.output);
}

// Exact: the counter's resolution is finer than half an instruction, or one tick is one instruction.
int64_t to_instructions(const Target& target, int64_t ticks) {
  const int64_t one = int64_t{1} << target.icount_shift;
  return (ticks * target.counter_ns / target.counter_ticks + one / 2) / one;
}

int64_t instructions_of(const Target& target, const Ticks& ticks, const Ticks& overhead) {
  return to_instructions(target, ticks.value) - to_instructions(target, overhead.value);
}

// A counter that wrapped knows ticks modulo 2^32. A second run with the slowest virtual clock tells about how many
// there were: its ticks are 2^shift times as long.
void unwrap(const Target& target, Ticks& ticks, const Ticks& slow) {
  require(!slow.wrapped, "the run is too long for the counter of {}; it cannot be counted", target.name);
  if (!ticks.wrapped) return;
  constexpr int64_t period = int64_t{1} << 32;
  const int64_t missing = (slow.value << target.icount_shift) - ticks.value;
  ticks.value += (missing + period / 2) / period * period;
  ticks.wrapped = false;
}

bool any_wrapped(const ConsoleResult& console) {
  return std::any_of(console.cases.begin(), console.cases.end(), [](const ConsoleCase& one) {
    return one.ticks.wrapped || std::any_of(one.step_ticks.begin(), one.step_ticks.end(),
                                            [](const Ticks& ticks) { return ticks.wrapped; });
  });
}

void unwrap(const Target& target, ConsoleResult& console, const ConsoleResult& slow) {
  for (size_t i = 0; i < console.cases.size(); ++i) {
    unwrap(target, console.cases[i].ticks, slow.cases[i].ticks);
    for (size_t step = 0; step < console.cases[i].step_ticks.size(); ++step) {
      unwrap(target, console.cases[i].step_ticks[step], slow.cases[i].step_ticks[step]);
    }
  }
}

// All cases, in as many runs as the memory for inputs demands; `visit` sees each run's console.
template <class Visit>
void run_cases(const EmulateRequest& request, const Firmware& firmware, const fs::path& directory, size_t cases,
               const ConsoleFormat& format, Visit visit) {
  const std::string clock =
      format.counts ? exact_clock(request.target.icount_shift) : std::string(request.target.two_cores_arguments);
  const int64_t one = std::max<int64_t>(1, bytes_of_one_case(request));
  const size_t fitting = static_cast<size_t>((request.target.inputs_bytes - header_bytes) / one);
  size_t count = 0;
  for (size_t first = 0; first < cases; first += count) {
    count = std::min(fitting, cases - first);
    // A sequence stays in one run of the emulator: state does not outlive it.
    while (first + count < cases && continues(request, first + count)) {
      require(--count > 0, "a sequence of more than {} cases does not fit into the memory for inputs", fitting);
    }
    const fs::path inputs = directory / "inputs.bin";
    write_inputs(inputs, request, first, count);
    const std::string text = run_emulator(request, firmware, inputs, clock);
    ConsoleResult console = read_console(text, count, format, request.output_bytes);
    if (any_wrapped(console)) {
      const std::string slow = run_emulator(request, firmware, inputs, exact_clock(0));
      unwrap(request.target, console, read_console(slow, count, format, request.output_bytes));
    }
    visit(text, std::move(console));
  }
}

void take_sizes(Firmware& firmware, EmulateResult& result) {
  result.sections = std::move(firmware.sections);
  result.code_bytes = firmware.footprint.code_bytes;
  result.weight_bytes = firmware.footprint.weight_bytes;
  result.library_ram_bytes = firmware.footprint.library_ram_bytes;
  result.harness_bytes = firmware.footprint.harness_bytes;
  result.stack_bound_bytes = firmware.stack_bound_bytes;
  result.step_code_bytes = firmware.footprint.step_code_bytes;
  result.shared_code_bytes = std::move(firmware.footprint.shared_code_bytes);
  result.step_stack_bytes = std::move(firmware.step_stack_bytes);
  result.step_libraries = std::move(firmware.step_libraries);
}

void run_plain(const EmulateRequest& request, EmulateResult& result) {
  const TemporaryDirectory directory;
  Firmware firmware = build_firmware(request, directory.path(), {});
  take_sizes(firmware, result);
  run_cases(request, firmware, directory.path(), request.cases.size(), {},
            [&](const std::string& text, ConsoleResult console) {
              result.console += text;
              for (ConsoleCase& one : console.cases) {
                // The empty run's own return instruction is not overhead.
                result.instructions.push_back(instructions_of(request.target, one.ticks, console.empty_ticks) + 1);
                result.outputs.push_back(std::move(one.outputs));
              }
              result.stack_peak_bytes = std::max(result.stack_peak_bytes, console.stack_peak_bytes);
              result.stack_total_bytes = console.stack_total_bytes;
            });
}

// The cores at the same time: outputs, stacks, sizes.
void run_at_once(const EmulateRequest& request, EmulateResult& result) {
  const TemporaryDirectory directory;
  Firmware firmware = build_firmware(request, directory.path(), {});
  take_sizes(firmware, result);
  const ConsoleFormat format{.steps = 0, .cores = request.cores, .counts = false};
  run_cases(request, firmware, directory.path(), request.cases.size(), format,
            [&](const std::string& text, ConsoleResult console) {
              result.console += text;
              for (ConsoleCase& one : console.cases) result.outputs.push_back(std::move(one.outputs));
              result.stack_peak_bytes = std::max(result.stack_peak_bytes, console.stack_peak_bytes);
              result.stack_total_bytes = console.stack_total_bytes;
            });
}

// The cores in turn, to count what each executes between the barriers.
void count_cores(const EmulateRequest& request, EmulateResult& result) {
  const TemporaryDirectory directory;
  const Firmware firmware = build_firmware(request, directory.path(), {.profile = false, .count_cores = true});
  const ConsoleFormat format{.steps = 0, .cores = request.cores, .counts = true};
  run_cases(request, firmware, directory.path(), request.cases.size(), format,
            [&](const std::string&, const ConsoleResult& console) {
              for (const ConsoleCase& one : console.cases) {
                const size_t index = result.instructions.size();
                require(one.outputs == result.outputs.at(index),
                        "{}: two cores that run at the same time compute something else in case {} than one after "
                        "the other",
                        request.name, index);
                result.instructions.push_back(instructions_of(request.target, one.ticks, console.empty_ticks) + 1);
                std::vector<int64_t>& cores = result.core_instructions.emplace_back();
                for (const Ticks& ticks : one.core_ticks)
                  cores.push_back(instructions_of(request.target, ticks, console.empty_ticks) + 1);
              }
              result.stack_peak_bytes = std::max(result.stack_peak_bytes, console.stack_peak_bytes);
            });
}

void run_profiled(const EmulateRequest& request, EmulateResult& result) {
  const TemporaryDirectory directory;
  Firmware firmware =
      build_firmware(request, directory.path(), {.profile = true, .count_cores = request.cores > 1});
  if (request.profile_alone) take_sizes(firmware, result);
  const ConsoleFormat format{.steps = request.steps, .cores = request.cores, .counts = true};
  run_cases(request, firmware, directory.path(), std::min<size_t>(1, request.cases.size()), format,
            [&](const std::string&, const ConsoleResult& console) {
              for (const Ticks& ticks : console.cases.at(0).step_ticks) {
                result.step_instructions.push_back(instructions_of(request.target, ticks, console.recorder_ticks));
              }
            });
}

}  // namespace

EmulateResult emulate(const EmulateRequest& request) {
  check_request(request);
  EmulateResult result;
  if (!request.profile_alone && request.cores == 1) run_plain(request, result);
  if (!request.profile_alone && request.cores > 1) {
    run_at_once(request, result);
    if (!request.cases.empty()) count_cores(request, result);
  }
  if (request.profile && request.steps != 0) run_profiled(request, result);
  return result;
}

}  // namespace mote
