// SPDX-License-Identifier: Apache-2.0
#include "target/find.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

// Levenshtein: insertions, deletions and replacements that turn `from` into `to`.
size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

const Target& find_target(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Target* const target : target::all()) {
    if (target->name == name) return *target;
    names.push_back(target->name);
  }
  std::stable_sort(names.begin(), names.end(), [name](std::string_view a, std::string_view b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  fail("there is no target '{}'; known: {}", name, fmt::join(names, ", "));
}

}  // namespace mote
