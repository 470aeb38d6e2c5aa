// SPDX-License-Identifier: Apache-2.0
// What the firmware prints (firmware/main.cpp), read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mote {

struct ConsoleCase {
  std::optional<int64_t> ticks;  // nothing: the counter wrapped too often
  std::vector<std::optional<int64_t>> step_ticks;
  std::vector<Bytes> outputs;
};

struct ConsoleResult {
  int64_t empty_ticks = 0, recorder_ticks = 0;
  std::vector<ConsoleCase> cases;
  int64_t stack_peak_bytes = 0, stack_total_bytes = 0;
};

// `steps` is the number of profiled steps, 0 in a plain build. Throws Error on anything but the exact protocol; a FAULT
// line becomes the message.
[[nodiscard]] ConsoleResult read_console(std::string_view text, size_t cases, size_t steps,
                                         const std::vector<int64_t>& output_bytes);

}  // namespace mote
