// SPDX-License-Identifier: Apache-2.0
// A placement problem as distances: two buffers that are alive together stand one above the other or the other
// above the one, each at its own least distance. A permitted overlap only makes one of the two distances shorter.
#pragma once

#include "plan/plan.hpp"

namespace mote {

// What buffer `other` asks of a buffer: offset >= offset(other) + above, or offset <= offset(other) - below.
struct Separation {
  size_t other = 0;
  int64_t above = 0, below = 0;  // bytes; negative: deeper than side by side
};

class Separations {
 public:
  explicit Separations(const PlacementProblem& problem);

  [[nodiscard]] const std::vector<Separation>& of(size_t buffer) const { return separations_[buffer]; }

  // The lowest aligned offset that suits all buffers which are placed (offset >= 0); none below `from` does.
  [[nodiscard]] int64_t lowest_offset(size_t buffer, const std::vector<int64_t>& offsets, int64_t from = 0) const;

 private:
  std::vector<std::vector<Separation>> separations_;  // [buffer]
  std::vector<int64_t> align_;
};

}  // namespace mote
