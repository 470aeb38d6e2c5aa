// SPDX-License-Identifier: Apache-2.0
#include "target/find.hpp"

#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "target/registry.hpp"

namespace mote {

const Target& find_target(std::string_view name) {
  std::vector<std::string> names;
  for (const Target* const target : target::all()) {
    if (target->name == name) return *target;
    names.emplace_back(target->name);
  }
  fail("there is no target '{}'; known: {}", name, fmt::join(nearest_first(name, names), ", "));
}

}  // namespace mote
