// SPDX-License-Identifier: Apache-2.0
// A table of numbers and texts, printed for people or for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mote {

using Cell = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: unknown

struct Table {
  std::vector<std::string> columns;  // names, as CSV and JSON have them
  std::vector<std::vector<Cell>> rows;
};

enum class Format { text, markdown, csv, json };

[[nodiscard]] Format parse_format(std::string_view text);  // throws Error listing the formats

// Text and markdown are for people: columns without any value are left out, a cell shows the start of its text (in
// text, at most 50 columns of it before the last column), and "code_bytes" is headed "code B". CSV (RFC 4180) and
// JSON (an array of objects, null for unknown) have it all.
[[nodiscard]] std::string render(const Table& table, Format format);

[[nodiscard]] nlohmann::ordered_json to_json(const Table& table);

// Unknown cells last, numbers before texts.
[[nodiscard]] bool less(const Cell& a, const Cell& b);

}  // namespace mote
