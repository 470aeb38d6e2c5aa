// SPDX-License-Identifier: Apache-2.0
// What a table can say of a row of the book: its stored figures and those that follow from them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "zoo/book.hpp"
#include "zoo/table.hpp"

namespace mote {

struct BookColumn {
  std::string_view name;
  Cell (*value)(const BookRow&);
  void (*load)(BookRow&, const nlohmann::json&);  // sets it from a value that is not null; nullptr: it follows
  bool compared;  // smaller is better, and the same input gives the same figure again
  bool shown;     // when nobody chose columns
};

// In the order of tables.
[[nodiscard]] std::span<const BookColumn> book_columns();

[[nodiscard]] const BookColumn& find_column(std::string_view name);  // throws Error listing the names

// The rows of a book, or of a table of one in JSON, as `zoo export --json` and `zoo show --json` write it: what
// has no column is unknown, and there are no layers. Throws Error when the file is neither.
[[nodiscard]] std::vector<BookRow> read_rows(const std::filesystem::path& file);

}  // namespace mote
