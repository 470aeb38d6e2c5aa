// SPDX-License-Identifier: Apache-2.0
// Runs another program without a shell and captures what it prints. It does not outlive this one.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

struct ProcessResult {
  int exit_status = 0;     // 128 + signal number when a signal ended it
  bool timed_out = false;  // it was killed
  std::string output, errors;
};

// arguments[0] is the program, looked up in PATH. Throws Error when it cannot be started.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments, std::chrono::seconds timeout);

// Runs it on this process's own streams, until it ends, or this process is asked to end by SIGINT, SIGTERM or
// SIGHUP: then it ends first.
void run_in_foreground(const std::vector<std::string>& arguments);

// Throws Error that names the Debian packages unless PATH has the program, or it is a path itself.
void require_program(std::string_view program, std::string_view debian_packages);

// The parts between spaces, without empty ones.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);

// The last `lines` lines.
[[nodiscard]] std::string tail(std::string_view text, size_t lines);

}  // namespace mote
