// SPDX-License-Identifier: Apache-2.0
// Operators at the end of a classifier, as far as replacing its last layer needs to know them.
#pragma once

#include <limits>

namespace mote {

enum class ClassifierRole {
  dense,          // sums of inputs 0 and 1 with bias 2, and nothing else
  clamped_dense,  // the same, and an activation clamps them
  probabilities,  // softmax of such sums
  conversion,     // the same numbers in another type
  other,
};

struct ClampedTo {
  float low = std::numeric_limits<float>::lowest(), high = std::numeric_limits<float>::max();
};

// What an operator has besides Operator when it may end a classifier.
class ClassifierPart {
 public:
  virtual ~ClassifierPart() = default;
  [[nodiscard]] virtual ClassifierRole classifier_role() const = 0;
  [[nodiscard]] virtual ClampedTo clamped_to() const { return {}; }  // of a dense layer's results
};

}  // namespace mote
