// SPDX-License-Identifier: Apache-2.0
#include "emulate/console.hpp"

#include <algorithm>
#include <charconv>

#include "emulate/process.hpp"

namespace mote {
namespace {

class ConsoleReader {
 public:
  explicit ConsoleReader(std::string_view text) : all_(text), rest_(text) {}

  std::string_view line() {
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) bad("a line that is not complete");
    std::string_view result = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (result.ends_with('\r')) result.remove_suffix(1);  // some consoles add it
    return result;
  }

  // "KEY=123"
  int64_t value(std::string_view key) {
    const std::string_view text = line();
    if (!text.starts_with(key) || text.size() <= key.size() || text[key.size()] != '=') bad(key);
    const std::string_view digits = text.substr(key.size() + 1);
    int64_t result = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
    if (status != std::errc{} || end != digits.data() + digits.size() || result < 0) bad(key);
    return result;
  }

  Ticks ticks(std::string_view key) {
    const int64_t count = value(key);
    return {count, value("WRAPPED") != 0};
  }

  void expect_value(std::string_view key, size_t expected) {
    if (value(key) != static_cast<int64_t>(expected)) bad(key);
  }

  Bytes bytes(int64_t count) {
    Bytes result;
    result.reserve(static_cast<size_t>(count));
    while (static_cast<int64_t>(result.size()) < count) {
      const std::string_view text = line();
      const int64_t now = std::min<int64_t>(32, count - static_cast<int64_t>(result.size()));
      if (static_cast<int64_t>(text.size()) != 2 * now) bad("bytes of an output");
      for (size_t i = 0; i < text.size(); i += 2)
        result.push_back(static_cast<std::byte>(byte(text.substr(i, 2))));
    }
    return result;
  }

  void end() {
    if (line() != "MOTE_END" || !rest_.empty()) bad("the end");
  }

 private:
  [[noreturn]] void bad(std::string_view expected) const {
    const size_t read = all_.size() - rest_.size();
    fail("the emulated firmware printed something else than expected ({}); its console ends with:\n{}", expected,
         tail(all_.substr(0, std::min(all_.size(), read + 200)), 8));
  }

  unsigned byte(std::string_view text) {
    unsigned value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + 2, value, 16);
    if (status != std::errc{} || end != text.data() + 2) bad("bytes of an output");
    return value;
  }

  std::string_view all_, rest_;
};

void fail_on_fault(std::string_view text) {
  const size_t found = text.starts_with("FAULT ") ? 0 : text.find("\nFAULT ");
  if (found == std::string_view::npos) return;
  std::string_view line = text.substr(text.find("FAULT ", found) + 6);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  fail("the model stopped in the emulator: {}", line);
}

}  // namespace

ConsoleResult read_console(std::string_view text, size_t cases, const ConsoleFormat& format,
                           const std::vector<int64_t>& output_bytes) {
  fail_on_fault(text);
  ConsoleReader reader(text);
  ConsoleResult result;
  reader.expect_value("MOTE_CASES", cases);
  result.empty_ticks = reader.ticks("EMPTY_TICKS");
  if (format.steps != 0) result.recorder_ticks = reader.ticks("RECORDER_TICKS");
  for (size_t i = 0; i < cases; ++i) {
    reader.expect_value("CASE", i);
    ConsoleCase& one = result.cases.emplace_back();
    if (format.counts) one.ticks = reader.ticks("TICKS");
    for (size_t core = 0; format.counts && format.cores > 1 && core < format.cores; ++core)
      one.core_ticks.push_back(reader.ticks("CORE_TICKS"));
    for (size_t step = 0; step < format.steps * format.cores; ++step)
      one.step_ticks.push_back(reader.ticks("STEP_TICKS"));
    for (size_t output = 0; output < output_bytes.size(); ++output) {
      reader.expect_value("OUTPUT", output);
      one.outputs.push_back(reader.bytes(output_bytes[output]));
    }
  }
  for (size_t core = 0; core < format.cores; ++core)
    result.stack_peak_bytes = std::max(result.stack_peak_bytes, reader.value("STACK_PEAK"));
  result.stack_total_bytes = reader.value("STACK_TOTAL");
  reader.end();
  return result;
}

}  // namespace mote
