// SPDX-License-Identifier: Apache-2.0
// Names a person may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mote {

// Levenshtein: insertions, deletions and replacements that turn `from` into `to`.
[[nodiscard]] size_t edit_distance(std::string_view from, std::string_view to);

// The names, the most similar to `name` first; equally similar ones keep their order.
[[nodiscard]] std::vector<std::string> nearest_first(std::string_view name, std::vector<std::string> names);

}  // namespace mote
