// SPDX-License-Identifier: Apache-2.0
// The two searches of the placer. Their limits count work, not time, so results are the same on every machine.
#pragma once

#include <optional>

#include "plan/separation.hpp"

namespace mote {

// A placement and the order in which first fit makes it.
struct Packing {
  Placement placement;
  std::vector<size_t> order;
};

// First fit: each buffer of `order` at the lowest offset that suits those before it. nullopt: above limit_bytes.
[[nodiscard]] std::optional<Packing> first_fit(const PlacementProblem& problem, const Separations& separations,
                                               std::vector<size_t> order, int64_t limit_bytes);

// Local search: moves buffers that hold the arena's top up to an earlier turn, never accepting a larger arena;
// stops at `goal_bytes` or after `tries` packings.
[[nodiscard]] Packing improve(const PlacementProblem& problem, const Separations& separations, Packing packing,
                              int64_t goal_bytes, int64_t tries);

struct BranchAndBound {
  std::optional<Placement> smaller;  // than the limit; absent: none found
  bool exhausted = false;            // `nodes` buffers were placed and the search is not complete
};

// Looks for a placement smaller than limit_bytes, and for a yet smaller one until it meets goal_bytes. When not
// exhausted the result is optimal, unless a permitted distance is positive.
[[nodiscard]] BranchAndBound branch_and_bound(const PlacementProblem& problem, const Separations& separations,
                                              int64_t limit_bytes, int64_t goal_bytes, int64_t nodes);

}  // namespace mote
