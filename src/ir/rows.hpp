// SPDX-License-Identifier: Apache-2.0
// Operators that can work on some rows of a tensor at a time.
#pragma once

#include "ir/operator.hpp"

namespace mote {

// A strip of rows: rows are the indices of dimension 1 of tensors whose dimension 0 is 1.
struct RowStrip {
  Region::Range out;              // of output 0
  std::vector<Region::Range> in;  // of each input; of a constant, or of one that is read whole, all it has
};

// What an operator has besides Operator when it works in strips.
class WorksInRows {
 public:
  virtual ~WorksInRows() = default;

  // The operator whose whole output is rows `strip.out` of this one's, when its inputs are rows `strip.in` of this
  // one's inputs (exactly what needs() says), as tensors of their own. Equal parameters(), input and output types
  // mean equal operators. nullptr: this use of it does not work in strips.
  [[nodiscard]] virtual OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const = 0;

  // Its output has no rows: it folds those of its only input into it, strip after strip, in their order.
  // `strip.out` are then rows of the input, and every kernel but that of row 0 goes on with the output as it is.
  [[nodiscard]] virtual bool folds() const { return false; }
};

// What an operator has besides Operator whose output is made of all rows of its only input, and which can begin
// with any of them: a global mean.
class FoldsRows {
 public:
  struct Parts {
    OperatorPtr fold;   // works in rows, and folds
    TensorType folded;  // its output
    OperatorPtr finish;
  };
  virtual ~FoldsRows() = default;

  // Two operators, one behind the other, that compute the same bytes. nullopt: this use has none.
  [[nodiscard]] virtual std::optional<Parts> parts(Inputs in, const Types& out) const = 0;
};

// nullptr: the operator does not work in strips.
[[nodiscard]] inline OperatorPtr operator_of_rows(const Operator& op, const RowStrip& strip, Inputs in,
                                                  const Types& out) {
  const auto* const in_rows = dynamic_cast<const WorksInRows*>(&op);
  return in_rows == nullptr ? nullptr : in_rows->rows(strip, in, out);
}

[[nodiscard]] inline bool folds_rows(const Operator& op) {
  const auto* const in_rows = dynamic_cast<const WorksInRows*>(&op);
  return in_rows != nullptr && in_rows->folds();
}

}  // namespace mote
