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
};

// nullptr: the operator does not work in strips.
[[nodiscard]] inline OperatorPtr operator_of_rows(const Operator& op, const RowStrip& strip, Inputs in,
                                                  const Types& out) {
  const auto* const in_rows = dynamic_cast<const WorksInRows*>(&op);
  return in_rows == nullptr ? nullptr : in_rows->rows(strip, in, out);
}

}  // namespace mote
