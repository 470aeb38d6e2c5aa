// SPDX-License-Identifier: Apache-2.0
// Compiles generated code and links it with the firmware of a target.
#pragma once

#include <filesystem>
#include <string>

#include "emulate/emulate.hpp"
#include "emulate/map_file.hpp"

namespace mote {

// Of the emulated firmware.
constexpr int64_t stack_bytes = 64 * 1024;

struct Firmware {
  std::filesystem::path program;  // ELF
  std::vector<MapSection> sections;
  Footprint footprint;
  int64_t stack_bound_bytes = 0;  // of NAME_run
  std::vector<int64_t> step_stack_bytes;
  std::vector<std::set<std::string>> step_libraries;
};

// What a firmware is built for besides running. Counting matters with two cores only: they run in turn then.
struct FirmwareUse {
  bool profile = false;
  bool count_cores = false;
};

// Writes into `directory`; the files there live as long as the caller needs them.
[[nodiscard]] Firmware build_firmware(const EmulateRequest& request, const std::filesystem::path& directory,
                                      const FirmwareUse& use);

}  // namespace mote
