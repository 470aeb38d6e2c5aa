// SPDX-License-Identifier: Apache-2.0
// Builds a firmware around generated code, runs it in QEMU, and reads back outputs, instruction counts and stack
// use.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "emulate/map_file.hpp"
#include "target/target.hpp"

namespace mote {

struct EmulateRequest {
  const Target& target;
  std::filesystem::path model_directory;  // NAME.h, NAME.cpp and the kernel headers
  std::string name;                       // identifier; NAME_run, macros in upper case
  std::vector<int64_t> input_bytes, output_bytes;
  size_t steps = 0;
  std::vector<std::string> shared = {};   // for each step the function that it has in common with others, or empty
  size_t arenas = 1;                      // blocks of memory that NAME_run takes
  size_t cores = 1;                       // 2: NAME_run_part runs, on two cores
  bool stream_input = false;              // NAME_push_row runs, once a row
  std::vector<std::vector<Bytes>> cases;  // [case][input]; none: compile and link only
  std::vector<bool> continues;            // a case that goes on from the state its forerunner left; empty: none
  std::string optimize;                   // flags of the generated code; empty: the target's speed flags
  bool profile = false;                   // a second build and run that counts every step (of the first case)
  // With profile: no first build. Sizes and stack are those of the profiling build, whose NAME_run is larger than
  // the model's own; there are no outputs.
  bool profile_alone = false;
  std::chrono::seconds timeout{300};  // of one run of the emulator
};

struct EmulateResult {
  std::vector<std::vector<Bytes>> outputs;  // [case][output]
  // Executed by NAME_run from its first instruction to its return, one number a case. On two cores: those of the
  // slower one from barrier to barrier.
  std::vector<int64_t> instructions;
  std::vector<std::vector<int64_t>> core_instructions;  // [case][core], waits not counted; empty on one core
  std::vector<int64_t> step_instructions;  // of the first case; empty without profile. On two cores: of core 0,
                                           // then of core 1
  int64_t stack_peak_bytes = 0;   // below the stack pointer at the call of NAME_run, the most over all cases
  int64_t stack_bound_bytes = 0;  // no run can use more: frames along the deepest chain of calls
  int64_t stack_total_bytes = 0;  // of the harness
  int64_t code_bytes = 0;         // text and read-only data the model needs, libraries included, weights not
  int64_t weight_bytes = 0;
  int64_t harness_bytes = 0;
  int64_t library_ram_bytes = 0;  // variables of library members the model needs, such as errno of libm
  std::vector<int64_t> step_code_bytes;
  std::map<std::string, int64_t> shared_code_bytes;  // of functions that steps have in common
  // What a model of this step alone would need, as far as calls tell: stack, and members of libraries.
  std::vector<int64_t> step_stack_bytes;
  std::vector<std::set<std::string>> step_libraries;
  std::vector<MapSection> sections;  // what the linker kept, the harness included
  std::string console;               // what the firmware printed
};

// The library member that a section of the linked program belongs to: "_divsf3.o"; for a part of a kernel that is
// a function of its own, that function's symbol; empty for the rest of the model's own code, the harness and data
// of the model.
[[nodiscard]] std::string library_member(const MapSection& section);

// Throws Error when a tool is missing, the code does not compile or fit, the stack bound is unknown, the model has
// variables outside its arena, it faults, it does not end in time, or the firmware's protocol is violated.
[[nodiscard]] EmulateResult emulate(const EmulateRequest& request);

}  // namespace mote
