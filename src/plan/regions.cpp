// SPDX-License-Identifier: Apache-2.0
#include "plan/regions.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace mote {

namespace {

constexpr int64_t searched_sets = 20'000;  // work, not time: the same result on every machine
constexpr int64_t placed_sets = 60;        // each may cost a full placement

using Indices = std::vector<size_t>;

// The part of the problem that concerns these buffers, in this order.
PlacementProblem part_of(const PlacementProblem& problem, const Indices& buffers) {
  PlacementProblem part;
  std::vector<size_t> place(problem.buffers.size(), no_buffer);
  for (const size_t buffer : buffers) {
    place[buffer] = part.buffers.size();
    part.buffers.push_back(problem.buffers[buffer]);
  }
  for (const Overlap& overlap : problem.overlaps) {
    if (place[overlap.output] != no_buffer && place[overlap.input] != no_buffer)
      part.overlaps.push_back({place[overlap.output], place[overlap.input], overlap.distance});
  }
  return part;
}

// Which buffers stay in a region of limited size while the others move on.
class Chooser {
 public:
  Chooser(const PlacementProblem& problem, const std::vector<double>& accesses, const Indices& candidates,
          int64_t capacity)
      : problem_(problem), accesses_(accesses), order_(candidates), capacity_(capacity) {
    // The hottest bytes first: the first set that the search completes is already a good one.
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return heat(a) > heat(b); });
  }

  // The set that stays, by index; empty when nothing fits.
  Indices choose() {
    descend(0, 0.0);
    std::sort(best_.begin(), best_.end());
    return best_;
  }

 private:
  double heat(size_t buffer) const {
    return accesses_[buffer] / static_cast<double>(std::max<int64_t>(problem_.buffers[buffer].bytes, 1));
  }

  bool fits(const Indices& buffers) {
    const PlacementProblem part = part_of(problem_, buffers);
    // More buffers never lower the bound, so a set that is too large stays so.
    if (lower_bound_bytes(part) > capacity_) return false;
    return true;
  }

  void descend(size_t depth, double moved) {
    if (moved >= best_moved_ || searched_++ > searched_sets || placed_ > placed_sets) return;
    if (depth == order_.size()) {
      ++placed_;
      if (place(part_of(problem_, chosen_)).arena_bytes > capacity_) return;
      best_ = chosen_;
      best_moved_ = moved;
      return;
    }
    chosen_.push_back(order_[depth]);
    if (fits(chosen_)) descend(depth + 1, moved);
    chosen_.pop_back();
    descend(depth + 1, moved + accesses_[order_[depth]]);
  }

  const PlacementProblem& problem_;
  const std::vector<double>& accesses_;
  Indices order_, chosen_, best_;
  int64_t capacity_;
  double best_moved_ = std::numeric_limits<double>::infinity();
  int64_t searched_ = 0, placed_ = 0;
};

}  // namespace

std::optional<RegionPlacement> place_in_regions(const PlacementProblem& problem,
                                                const std::vector<double>& accesses,
                                                const std::vector<MemoryRegion>& regions) {
  RegionPlacement placement{Indices(problem.buffers.size(), 0), std::vector<int64_t>(problem.buffers.size(), 0),
                            std::vector<int64_t>(regions.size(), 0), 0};
  Indices rest(problem.buffers.size());
  std::iota(rest.begin(), rest.end(), size_t{0});
  for (size_t region = 0; region < regions.size() && !rest.empty(); ++region) {
    Indices kept = rest;
    Placement placed = place(part_of(problem, kept));
    if (placed.arena_bytes > regions[region].bytes) {
      if (region + 1 == regions.size()) return std::nullopt;
      kept = Chooser(problem, accesses, rest, regions[region].bytes).choose();
      placed = place(part_of(problem, kept));
    }
    check(part_of(problem, kept), placed);
    placement.used_bytes[region] = placed.arena_bytes;
    for (size_t i = 0; i < kept.size(); ++i) {
      placement.region[kept[i]] = region;
      placement.offsets[kept[i]] = placed.offsets[i];
      placement.cost += accesses[kept[i]] * regions[region].access_cost;
    }
    Indices left;
    std::set_difference(rest.begin(), rest.end(), kept.begin(), kept.end(), std::back_inserter(left));
    rest = std::move(left);
  }
  if (!rest.empty()) return std::nullopt;
  return placement;
}

}  // namespace mote
