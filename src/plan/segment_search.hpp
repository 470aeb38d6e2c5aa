// SPDX-License-Identifier: Apache-2.0
// Which tasks run together in strips, so that few bytes are alive at once.
#pragma once

#include "plan/strip_layout.hpp"

namespace mote {

// Tasks [first, last] in strips, and what that costs.
struct SegmentCandidate {
  StripLayout layout;
  int64_t peak_bytes = 0;  // alive at once while it runs, everything counted
  int64_t cost = 0;        // about how many instructions more than without strips
};

// By how much tasks, alone or in segments, exceed a limit.
struct Excess {
  int64_t bytes = 0;                              // of all of them
  std::vector<std::pair<size_t, size_t>> places;  // positions, first and last
};

class SegmentSearch {
 public:
  SegmentSearch(const Graph& graph, const OrderedTasks& order);

  // Consecutive segments, the tasks between them run in one piece: those that cost least among all whose peak is
  // at most `limit_bytes`. nullopt: there are none.
  [[nodiscard]] std::optional<std::vector<const SegmentCandidate*>> cheapest(int64_t limit_bytes) const;

  // The lowest peak that any choice reaches.
  [[nodiscard]] int64_t least_peak() const;

  // Of tasks and candidates, above `low_bytes` and below `high_bytes`, in their order: cheapest() gives the same
  // for all limits between two of them.
  [[nodiscard]] std::vector<int64_t> peaks_between(int64_t low_bytes, int64_t high_bytes) const;

  // Of the choice with the least excess.
  [[nodiscard]] Excess least_excess(int64_t limit_bytes) const;

  // Takes the candidate out of the search: it turned out not to be possible.
  void remove(const SegmentCandidate* candidate);

 private:
  [[nodiscard]] int64_t alone_bytes(size_t position) const;
  [[nodiscard]] int64_t peak_of(const StripLayout& layout) const;
  [[nodiscard]] int64_t cost_of(const Graph& graph, const StripLayout& layout) const;

  const OrderedTasks& order_;
  std::vector<int64_t> alone_;                             // the peak of each task in one piece
  std::vector<std::vector<SegmentCandidate>> candidates_;  // by their last task
};

}  // namespace mote
