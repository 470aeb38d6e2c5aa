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
  bool compared;  // smaller is better, and the same input gives the same figure again
  bool shown;     // when nobody chose columns
};

// In the order of tables.
[[nodiscard]] std::span<const BookColumn> book_columns();

[[nodiscard]] const BookColumn& find_column(std::string_view name);  // throws Error listing the names

}  // namespace mote
