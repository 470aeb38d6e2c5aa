// SPDX-License-Identifier: Apache-2.0
// The one exception type of the host, and the checks that throw it.
#pragma once

#include <fmt/format.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace mote {

// What a person can act on: names the place (file, node, option) and a way out.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) throw Error(fmt::format(text, std::forward<Args>(args)...));
}

// Integer conversion that throws Error instead of changing the value.
template <class To, class From>
[[nodiscard]] To narrow(From value) {
  const To result = static_cast<To>(value);
  if (static_cast<From>(result) != value || ((result < To{}) != (value < From{}))) {
    fail("value {} does not fit into {} bits", value, sizeof(To) * 8);
  }
  return result;
}

}  // namespace mote
