// SPDX-License-Identifier: Apache-2.0
#include "zoo_progress.hpp"

#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace mote::cli {

namespace {

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole) : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

std::string progress_text(const ZooProgress& progress, double seconds) {
  std::string text = fmt::format("{} of {} rows", progress.finished, progress.rows);
  if (progress.failed != 0) text += fmt::format(", {} with an error", progress.failed);
  if (progress.finished != 0) {
    const double left =
        seconds / static_cast<double>(progress.finished) * static_cast<double>(progress.rows - progress.finished);
    text += fmt::format(", about {} left", duration(left));
  }
  return text + (progress.working.empty() ? "" : fmt::format(": {}", fmt::join(progress.working, ", ")));
}

void ZooProgressLine::show(const ZooProgress& progress) {
  if (isatty(STDERR_FILENO) == 0) return;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  const std::string text = progress_text(progress, passed.count()).substr(0, terminal_columns() - 1);
  std::fputs(("\r\033[K" + text).c_str(), stderr);
  std::fflush(stderr);
}

ZooProgressLine::~ZooProgressLine() {
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
}

}  // namespace mote::cli
