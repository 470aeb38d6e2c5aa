// SPDX-License-Identifier: Apache-2.0
// What changed between two footprint books.
#pragma once

#include <vector>

#include "zoo/book.hpp"
#include "zoo/table.hpp"

namespace mote {

struct BookChange {
  std::string model, target, mode;
  std::string what;  // a figure's column, "error", "model content", or "row" when only one book has it
  Cell before, after;
  bool same_model = true;  // equal content of the model file

  // Growth in percent; nullopt where there is none to compute: texts, an unknown side, growth from 0.
  [[nodiscard]] std::optional<double> percent() const;
  // A figure that grew by more than this, or a row that had none and now has an error. Figures of a model that
  // itself changed, and of rows that only one book has, are not judged.
  [[nodiscard]] bool regressed(double above_percent) const;
};

// New errors first, then figures by their growth, then the rest. Figures that only one side measured are not
// changes.
[[nodiscard]] std::vector<BookChange> compare_books(const std::vector<BookRow>& before,
                                                    const std::vector<BookRow>& after);

// Columns: model, target, mode, what, old, new, change, percent, regressed.
[[nodiscard]] Table changes_table(const std::vector<BookChange>& changes, std::optional<double> fail_above);

}  // namespace mote
