// SPDX-License-Identifier: Apache-2.0
#include "zoo/compare_books.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "zoo/columns.hpp"

namespace mote {

namespace {

using Key = std::tuple<std::string, std::string, std::string>;

std::optional<int64_t> figure(const Cell& cell) {
  const auto* const value = std::get_if<int64_t>(&cell);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

Cell optional_text(const std::optional<std::string>& text) { return text ? Cell(*text) : Cell(); }

BookChange change_of(const BookRow& row, std::string_view what, Cell before, Cell after) {
  return {row.model, row.target, row.mode, std::string(what), std::move(before), std::move(after)};
}

void compare_rows(const BookRow& before, const BookRow& after, std::vector<BookChange>& changes) {
  const bool same_model = before.sha256 == after.sha256;
  if (!same_model) changes.push_back(change_of(after, "model content", before.sha256, after.sha256));
  if (before.error != after.error)
    changes.push_back(change_of(after, "error", optional_text(before.error), optional_text(after.error)));
  for (const BookColumn& column : book_columns()) {
    const Cell old_value = column.value(before), new_value = column.value(after);
    if (!column.compared || !figure(old_value) || !figure(new_value) || old_value == new_value) continue;
    changes.push_back(change_of(after, column.name, old_value, new_value));
    changes.back().same_model = same_model;
  }
}

// Infinite where something grew from nothing.
double growth(const BookChange& change) {
  const auto before = figure(change.before), after = figure(change.after);
  if (!before || !after) return std::numeric_limits<double>::infinity();
  if (*before == 0) return *after > 0 ? std::numeric_limits<double>::infinity() : 0;
  return 100.0 * static_cast<double>(*after - *before) / static_cast<double>(*before);
}

bool is_new_error(const BookChange& change) {
  return change.what == "error" && std::holds_alternative<std::monostate>(change.before);
}

// New errors, figures by their growth, then what is only worth knowing.
double badness(const BookChange& change) {
  const bool has_figures = figure(change.before) && figure(change.after);
  if (has_figures || is_new_error(change)) return growth(change);
  return -std::numeric_limits<double>::infinity();
}

}  // namespace

std::optional<double> BookChange::percent() const {
  const double value = growth(*this);
  return std::isinf(value) ? std::nullopt : std::optional(value);
}

bool BookChange::regressed(double above_percent) const {
  if (is_new_error(*this)) return true;
  return figure(before) && figure(after) && same_model && growth(*this) > above_percent;
}

std::vector<BookChange> compare_books(const std::vector<BookRow>& before, const std::vector<BookRow>& after) {
  std::map<Key, std::pair<const BookRow*, const BookRow*>> pairs;
  for (const BookRow& row : before) pairs[{row.model, row.target, row.mode}].first = &row;
  for (const BookRow& row : after) pairs[{row.model, row.target, row.mode}].second = &row;
  std::vector<BookChange> changes;
  for (const auto& [key, pair] : pairs) {
    const auto& [old_row, new_row] = pair;
    if (old_row == nullptr) {
      changes.push_back(change_of(*new_row, "row", {}, std::string("only in the new book")));
    } else if (new_row == nullptr) {
      changes.push_back(change_of(*old_row, "row", std::string("only in the old book"), {}));
    } else {
      compare_rows(*old_row, *new_row, changes);
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const BookChange& a, const BookChange& b) { return badness(a) > badness(b); });
  return changes;
}

Table changes_table(const std::vector<BookChange>& changes, std::optional<double> fail_above) {
  Table table{{"model", "target", "mode", "what", "old", "new", "change", "percent", "regressed"}, {}};
  for (const BookChange& change : changes) {
    const auto before = figure(change.before), after = figure(change.after);
    const auto percent = change.percent();
    table.rows.push_back({change.model, change.target, change.mode, change.what, change.before, change.after,
                          before && after ? Cell(*after - *before) : Cell(), percent ? Cell(*percent) : Cell(),
                          fail_above && change.regressed(*fail_above) ? Cell(std::string("yes")) : Cell()});
  }
  return table;
}

}  // namespace mote
