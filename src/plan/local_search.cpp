// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plan/search.hpp"

namespace mote {

namespace {

// A multiplicative generator (Lehmer, modulus 2^31 - 1): the same sequence everywhere.
class Random {
 public:
  [[nodiscard]] size_t below(size_t count) {
    state_ = state_ * 48271 % 2147483647;
    return static_cast<size_t>(state_) % count;
  }

 private:
  uint64_t state_ = 1;
};

// The buffers that carry the arena's top: one that reaches it, one that this one stands on, and so on to the
// bottom.
std::vector<size_t> pillar(const PlacementProblem& problem, const Separations& separations,
                           const Placement& placement) {
  std::vector<size_t> carrying;
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    if (problem.buffers[i].bytes > 0 && placement.offsets[i] + problem.buffers[i].bytes == placement.arena_bytes) {
      carrying.push_back(i);
      break;
    }
  }
  // Positive distances could let buffers carry each other in a circle: no more steps than buffers.
  while (!carrying.empty() && carrying.size() <= problem.buffers.size()) {
    const size_t top = carrying.back();
    const int64_t offset = placement.offsets[top];
    const std::vector<Separation>& others = separations.of(top);
    const auto below = std::find_if(others.begin(), others.end(), [&](const Separation& other) {
      return offset > 0 && placement.offsets[other.other] < offset &&
             align_up(placement.offsets[other.other] + other.above, problem.buffers[top].align) == offset;
    });
    if (below == others.end()) break;
    carrying.push_back(below->other);
  }
  return carrying;
}

// The order with one buffer (mostly one of the pillar) given an earlier turn, or two buffers exchanged.
std::vector<size_t> changed(const Packing& packing, const std::vector<size_t>& carrying, Random& random) {
  std::vector<size_t> order = packing.order;
  const bool of_pillar = !carrying.empty() && random.below(4) != 0;
  const size_t buffer = of_pillar ? carrying[random.below(carrying.size())] : order[random.below(order.size())];
  const auto from = std::find(order.begin(), order.end(), buffer);
  const auto turn = static_cast<size_t>(from - order.begin());
  if (turn > 0 && random.below(3) != 0) {
    std::rotate(order.begin() + static_cast<std::ptrdiff_t>(random.below(turn)), from, from + 1);
  } else {
    std::iter_swap(from, order.begin() + static_cast<std::ptrdiff_t>(random.below(order.size())));
  }
  return order;
}

}  // namespace

std::optional<Packing> first_fit(const PlacementProblem& problem, const Separations& separations,
                                 std::vector<size_t> order, int64_t limit_bytes) {
  Packing packing;
  packing.placement.offsets.assign(problem.buffers.size(), -1);
  for (const size_t buffer : order) {
    const int64_t offset = separations.lowest_offset(buffer, packing.placement.offsets);
    packing.placement.offsets[buffer] = offset;
    packing.placement.arena_bytes =
        std::max(packing.placement.arena_bytes, offset + problem.buffers[buffer].bytes);
    if (packing.placement.arena_bytes > limit_bytes) return std::nullopt;
  }
  packing.order = std::move(order);
  return packing;
}

Packing improve(const PlacementProblem& problem, const Separations& separations, Packing packing,
                int64_t goal_bytes, int64_t tries) {
  Random random;
  std::vector<size_t> carrying = pillar(problem, separations, packing.placement);
  while (packing.placement.arena_bytes > goal_bytes && tries-- > 0) {
    std::optional<Packing> other =
        first_fit(problem, separations, changed(packing, carrying, random), packing.placement.arena_bytes);
    if (!other) continue;
    packing = *std::move(other);
    carrying = pillar(problem, separations, packing.placement);
  }
  return packing;
}

}  // namespace mote
