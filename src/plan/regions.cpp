// SPDX-License-Identifier: Apache-2.0
#include "plan/regions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace mote {

namespace {

// Limits are work, not time: the same result on every machine. `mote fit` searches a dozen times for each board,
// so large problems get fewer sets, each of which costs more.
constexpr int64_t search_work = 300'000;                           // sets tried times buffers
constexpr size_t small_problem = 16;                               // buffers
constexpr int64_t placed_sets_small = 60, placed_sets_large = 12;  // each may cost a full placement

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
      part.overlaps.push_back({place[overlap.output], place[overlap.input], overlap.distance, overlap.during});
  }
  return part;
}

// Which buffers stay in a region of limited size while the others move on.
class Chooser {
 public:
  // `others`: bytes of the regions behind this one together; `last`: there is only one.
  Chooser(const PlacementProblem& problem, const std::vector<double>& accesses, const Indices& candidates,
          int64_t capacity, int64_t others, bool last)
      : problem_(problem),
        accesses_(accesses),
        order_(candidates),
        capacity_(capacity),
        others_(others),
        last_(last),
        most_searched_(search_work / std::max<int64_t>(std::ssize(candidates), 1)),
        most_placed_(candidates.size() <= small_problem ? placed_sets_small : placed_sets_large) {
    // The hottest bytes first: the first set that the search completes is already a good one.
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return heat(a) > heat(b); });
  }

  // The set that stays, by index; nothing where no choice leaves both sides enough room.
  std::optional<Indices> choose() {
    descend(0, 0.0);
    if (exhausted()) improve();
    if (std::isinf(best_moved_)) return std::nullopt;
    std::sort(best_.begin(), best_.end());
    return best_;
  }

 private:
  double heat(size_t buffer) const {
    return accesses_[buffer] / static_cast<double>(std::max<int64_t>(problem_.buffers[buffer].bytes, 1));
  }

  bool exhausted() const { return searched_ > most_searched_ || placed_ > most_placed_; }

  // More buffers never lower the bound, so a set that is too large stays so.
  bool may_fit(const Indices& buffers, int64_t capacity) const {
    return lower_bound_bytes(part_of(problem_, buffers)) <= capacity;
  }

  bool fits(const Indices& kept, const Indices& moved) {
    ++placed_;
    return place(part_of(problem_, kept)).arena_bytes <= capacity_ &&
           (!last_ || place(part_of(problem_, moved)).arena_bytes <= others_);
  }

  void keep(const Indices& kept, double moved) {
    best_ = kept;
    best_moved_ = moved;
  }

  void descend(size_t depth, double moved) {
    if (moved >= best_moved_ || exhausted()) return;
    ++searched_;
    if (depth == order_.size()) {
      if (fits(chosen_, moved_)) keep(chosen_, moved);
      return;
    }
    chosen_.push_back(order_[depth]);
    if (may_fit(chosen_, capacity_)) descend(depth + 1, moved);
    chosen_.pop_back();
    moved_.push_back(order_[depth]);
    if (may_fit(moved_, others_)) descend(depth + 1, moved + accesses_[order_[depth]]);
    moved_.pop_back();
  }

  // The search ran out of its limit: takes buffers back, alone or in exchange for one that is used less.
  void improve() {
    placed_ = searched_ = 0;
    if (std::isinf(best_moved_) && fits({}, order_))
      keep({}, std::accumulate(order_.begin(), order_.end(), 0.0,
                               [&](double sum, size_t one) { return sum + accesses_[one]; }));
    for (bool better = !std::isinf(best_moved_); better && !exhausted();) {
      better = false;
      for (const size_t back : order_) better = better || take_back(back);
    }
  }

  bool take_back(size_t back) {
    if (std::find(best_.begin(), best_.end(), back) != best_.end()) return false;
    for (size_t out = 0; out <= best_.size() && !exhausted(); ++out) {
      Indices kept = best_;
      double moved = best_moved_ - accesses_[back];
      if (out < best_.size()) {
        moved += accesses_[best_[out]];
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(out));
      }
      if (moved >= best_moved_) continue;
      ++searched_;
      kept.push_back(back);
      const Indices rest = without(kept);
      if (!may_fit(kept, capacity_) || !may_fit(rest, others_) || !fits(kept, rest)) continue;
      keep(kept, moved);
      return true;
    }
    return false;
  }

  Indices without(const Indices& kept) const {
    Indices rest = order_;
    std::erase_if(rest, [&](size_t one) { return std::find(kept.begin(), kept.end(), one) != kept.end(); });
    return rest;
  }

  const PlacementProblem& problem_;
  const std::vector<double>& accesses_;
  Indices order_, chosen_, moved_, best_;
  int64_t capacity_, others_;
  bool last_;
  int64_t most_searched_, most_placed_;
  double best_moved_ = std::numeric_limits<double>::infinity();
  int64_t searched_ = 0, placed_ = 0;
};

int64_t bytes_behind(const std::vector<MemoryRegion>& regions, size_t region) {
  int64_t bytes = 0;
  for (size_t i = region + 1; i < regions.size(); ++i) bytes += std::max<int64_t>(regions[i].bytes, 0);
  return bytes;
}

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
      const bool last = region + 2 == regions.size();
      const std::optional<Indices> chosen =
          Chooser(problem, accesses, rest, regions[region].bytes, bytes_behind(regions, region), last).choose();
      if (!chosen) return std::nullopt;
      kept = *chosen;
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

bool spread(Plan& plan, const std::vector<double>& accesses, const std::vector<MemoryRegion>& regions) {
  const std::optional<RegionPlacement> placed = place_in_regions({plan.buffers, plan.overlaps}, accesses, regions);
  if (!placed) return false;
  std::vector<size_t> arena(regions.size(), 0);
  plan.arenas.clear();
  plan.arena_bytes = 0;
  for (size_t region = 0; region < regions.size(); ++region) {
    arena[region] = plan.arenas.size();
    if (placed->used_bytes[region] > 0) plan.arenas.push_back({regions[region].name, placed->used_bytes[region]});
    plan.arena_bytes += placed->used_bytes[region];
  }
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    // A buffer of no bytes is at home in any arena.
    plan.buffers[i].arena = std::min(arena[placed->region[i]], std::max<size_t>(plan.arenas.size(), 1) - 1);
    plan.buffers[i].offset = placed->offsets[i];
  }
  std::erase_if(plan.overlaps, [&](const Overlap& overlap) {
    return plan.buffers[overlap.output].arena != plan.buffers[overlap.input].arena;
  });
  check_plan(plan);
  return true;
}

}  // namespace mote
