// SPDX-License-Identifier: Apache-2.0
// Every placement can be pushed down until each buffer stands on the bottom or on another one, and then be built
// from the lowest buffer to the highest: so the search only asks which buffer is the next one upwards.
#include <algorithm>

#include "plan/search.hpp"

namespace mote {

namespace {

class Search {
 public:
  Search(const PlacementProblem& problem, const Separations& separations, int64_t limit_bytes, int64_t goal_bytes,
         int64_t nodes)
      : problem_(problem),
        separations_(separations),
        limit_bytes_(limit_bytes),
        goal_bytes_(goal_bytes),
        nodes_(nodes) {
    for (const Buffer& buffer : problem.buffers) offsets_.push_back(buffer.bytes > 0 ? -1 : 0);
  }

  BranchAndBound run() {
    const auto left = static_cast<size_t>(std::count(offsets_.begin(), offsets_.end(), -1));
    place_next(std::vector<int64_t>(offsets_.size(), 0), left, {0, 0});
    return {std::move(best_), nodes_ <= 0};
  }

 private:
  struct Candidate {
    int64_t offset;
    size_t buffer;
  };

  [[nodiscard]] bool finished() const { return nodes_ <= 0 || limit_bytes_ <= goal_bytes_; }

  // Are the two allowed to start at the same offset, in the order `last` before `buffer` only?
  [[nodiscard]] bool touches(size_t buffer, size_t last) const {
    const std::vector<Separation>& others = separations_.of(buffer);
    return std::any_of(others.begin(), others.end(), [&](const Separation& other) {
      return other.other == last && std::min(other.above, other.below) <= 0;
    });
  }

  // The buffers that may come next, lowest first; none when a buffer that is left cannot stay below the limit.
  // Among the best placements look for the one with the least sum of offsets: each of its buffers stands at the
  // lowest offset that the buffers below it leave (so one that would now go below `last` has to wait for what
  // keeps it up), and above the top of a buffer that is left nothing can be built: that one would rather have
  // stayed there.
  [[nodiscard]] std::vector<Candidate> candidates(const std::vector<int64_t>& lowest,
                                                  const Candidate& last) const {
    std::vector<Candidate> found;
    int64_t first_top = limit_bytes_;
    for (size_t i = 0; i < lowest.size(); ++i) {
      if (offsets_[i] >= 0) continue;
      const int64_t bytes = problem_.buffers[i].bytes;
      if (std::max(lowest[i], last.offset) + bytes >= limit_bytes_) return {};
      first_top = std::min(first_top, lowest[i] + bytes);
      // Equal offsets in the order of indices, unless only the other order makes them possible.
      const bool ordered = lowest[i] > last.offset || i >= last.buffer || touches(i, last.buffer);
      if (lowest[i] >= last.offset && ordered) found.push_back({lowest[i], i});
    }
    std::erase_if(found, [&](const Candidate& candidate) { return candidate.offset >= first_top; });
    std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
      return a.offset != b.offset ? a.offset < b.offset : a.buffer < b.buffer;
    });
    return found;
  }

  void place_next(const std::vector<int64_t>& lowest, size_t left, const Candidate& last) {
    if (left == 0) return remember();
    for (const Candidate& candidate : candidates(lowest, last)) {
      if (finished()) return;
      --nodes_;
      offsets_[candidate.buffer] = candidate.offset;
      std::vector<int64_t> next = lowest;
      for (const Separation& other : separations_.of(candidate.buffer)) {
        int64_t& offset = next[other.other];
        // Distances are the same from either side.
        const bool in_the_way = candidate.offset - other.above < offset && offset < candidate.offset + other.below;
        if (offsets_[other.other] < 0 && in_the_way)
          offset = separations_.lowest_offset(other.other, offsets_, offset);
      }
      place_next(next, left - 1, candidate);
      offsets_[candidate.buffer] = -1;
    }
  }

  void remember() {
    Placement placement{offsets_, 0};
    for (size_t i = 0; i < offsets_.size(); ++i) {
      placement.arena_bytes = std::max(placement.arena_bytes, offsets_[i] + problem_.buffers[i].bytes);
    }
    if (placement.arena_bytes >= limit_bytes_) return;
    limit_bytes_ = placement.arena_bytes;
    best_ = std::move(placement);
  }

  const PlacementProblem& problem_;
  const Separations& separations_;
  int64_t limit_bytes_, goal_bytes_, nodes_;
  std::vector<int64_t> offsets_;
  std::optional<Placement> best_;
};

}  // namespace

BranchAndBound branch_and_bound(const PlacementProblem& problem, const Separations& separations,
                                int64_t limit_bytes, int64_t goal_bytes, int64_t nodes) {
  return Search(problem, separations, limit_bytes, goal_bytes, nodes).run();
}

}  // namespace mote
