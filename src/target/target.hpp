// SPDX-License-Identifier: Apache-2.0
// A target: the instruction set, how to compile and link for it, its memories, and the emulator that runs it.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/core.hpp"

namespace mote {

// Plain data. Flags and arguments are lists separated by single spaces.
struct Target {
  std::string_view name;         // "rv32imac"
  std::string_view description;  // one line for `mote targets`
  Core core = {};                // its extensions that kernels make use of
  std::string_view note = {};    // what a figure from this target does not say; printed beside it; may be empty

  // All below is empty or 0 for the target that runs in the simulator.
  std::string_view architecture = {};       // folder of firmware/: start code, linker script, console, counter
  std::string_view tools = {};              // prefix of the binutils: "riscv64-unknown-elf-"
  std::string_view compiler = {};           // compiles C++ and assembly
  std::string_view linker = {};             // driver that links
  std::string_view compiler_packages = {};  // Debian packages that bring compiler and linker
  std::string_view compile_flags = {};      // instruction set and calling convention
  std::string_view clang_flags = {};        // the same for clang's parser, which reads functions' signatures
  bool clang_compiles = true;               // clang has a code generator for it, not a parser only
  std::string_view model_compiler = {};     // "clang++" compiles generated code; empty: `compiler` does
  std::string_view firmware_flags = {};     // addresses that the firmware's sources need
  std::string_view link_flags = {};
  std::string_view size_flags = {}, speed_flags = {};  // of generated code, by mode

  std::string_view emulator = {};  // QEMU program
  std::string_view emulator_package = {};
  std::string_view emulator_arguments = {};   // machine and core
  std::string_view two_cores_arguments = {};  // for a second core that runs at the same time; empty: there is none
  int64_t flash_bytes = 0;                    // code and weights of the emulated machine
  int64_t ram_bytes = 0;                      // arena and stack
  uint32_t inputs_address = 0;                // where the emulator puts the inputs of all cases
  int64_t inputs_bytes = 0;

  // QEMU's virtual clock advances by 2^shift ns with each instruction; in counter_ns of it the counter ticks
  // counter_ticks times.
  // More than two ticks an instruction make every count exact, or one tick equal to one instruction.
  int icount_shift = 0;
  int64_t counter_ns = 1, counter_ticks = 1;
};

// The program that compiles generated code for it; empty where it runs in the simulator.
[[nodiscard]] inline std::string_view generator(const Target& target) {
  return target.model_compiler.empty() ? target.compiler : target.model_compiler;
}

}  // namespace mote
