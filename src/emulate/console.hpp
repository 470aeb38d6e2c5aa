// SPDX-License-Identifier: Apache-2.0
// What the firmware prints (firmware/main.cpp), read strictly.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mote {

struct Ticks {
  int64_t value = 0;
  bool wrapped = false;  // value is known modulo 2^32 only
};

struct ConsoleCase {
  Ticks ticks;
  std::vector<Ticks> core_ticks;  // of counted cores
  std::vector<Ticks> step_ticks;
  std::vector<Bytes> outputs;
};

struct ConsoleResult {
  Ticks empty_ticks, recorder_ticks;
  std::vector<ConsoleCase> cases;
  int64_t stack_peak_bytes = 0, stack_total_bytes = 0;
};

// What the firmware was built to tell.
struct ConsoleFormat {
  size_t steps = 0;  // profiled ones, 0 in a plain build
  size_t cores = 1;
  bool counts = true;  // false: cores that run at the same time
};

// Throws Error on anything but the exact protocol; a FAULT line becomes the message.
[[nodiscard]] ConsoleResult read_console(std::string_view text, size_t cases, const ConsoleFormat& format,
                                         const std::vector<int64_t>& output_bytes);

}  // namespace mote
