// SPDX-License-Identifier: Apache-2.0
// Operators at the end of a classifier, as far as replacing its last layer needs to know them.
#pragma once

namespace mote {

enum class ClassifierRole {
  dense,          // sums of inputs 0 and 1 with bias 2, and nothing else
  probabilities,  // softmax of such sums
  conversion,     // the same numbers in another type
  other,
};

// What an operator has besides Operator when it may end a classifier.
class ClassifierPart {
 public:
  virtual ~ClassifierPart() = default;
  [[nodiscard]] virtual ClassifierRole classifier_role() const = 0;
};

}  // namespace mote
