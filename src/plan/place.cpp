// SPDX-License-Identifier: Apache-2.0
// From cheap to thorough: first fit in several orders, local search from each of them, branch and bound at the
// end. As soon as a placement meets the lower bound, nothing more can be gained.
#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "plan/search.hpp"

namespace mote {

namespace {

// Work for a whole problem; together well under a tenth of a second.
constexpr int64_t packed_buffers = 200'000, searched_nodes = 100'000;

using Rank = std::function<int64_t(const Buffer&)>;

// Orders that suit different problems: each one starts with what is hardest to place in its view.
std::vector<std::vector<size_t>> starting_orders(const PlacementProblem& problem) {
  const Rank ranks[] = {
      // Largest first: a big late buffer cannot use the holes left by small early ones.
      [](const Buffer& buffer) { return -buffer.bytes; },
      [](const Buffer& buffer) { return -buffer.bytes * (buffer.live.last - buffer.live.first + 1); },
      [](const Buffer& buffer) { return buffer.live.first - buffer.live.last; },
      [](const Buffer& buffer) { return buffer.live.first; },
      [](const Buffer& buffer) { return -buffer.live.last; },
  };
  std::vector<std::vector<size_t>> orders;
  for (const Rank& rank : ranks) {
    std::vector<size_t> order(problem.buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return rank(problem.buffers[a]) < rank(problem.buffers[b]); });
    orders.push_back(std::move(order));
  }
  return orders;
}

// Replaces `best` by what branch and bound finds. Is there hope for a better one?
bool search_upwards(const PlacementProblem& problem, const Separations& separations, int64_t goal, int64_t nodes,
                    Placement& best) {
  BranchAndBound found = branch_and_bound(problem, separations, best.arena_bytes, goal, nodes);
  if (found.smaller) best = *std::move(found.smaller);
  return found.exhausted && best.arena_bytes > goal;
}

}  // namespace

Placement place(const PlacementProblem& problem) {
  const Separations separations(problem);
  const int64_t goal = lower_bound_bytes(problem);
  std::vector<Packing> packings;
  for (std::vector<size_t>& order : starting_orders(problem)) {
    packings.push_back(*first_fit(problem, separations, std::move(order), std::numeric_limits<int64_t>::max()));
  }
  std::stable_sort(packings.begin(), packings.end(), [](const Packing& a, const Packing& b) {
    return a.placement.arena_bytes < b.placement.arena_bytes;
  });
  Placement best = packings[0].placement;
  // Most problems are solved here; the rest is large, and easier for the second search with a better placement.
  if (!search_upwards(problem, separations, goal, searched_nodes / 10, best)) return best;
  const auto count = static_cast<int64_t>(packings.size() * std::max<size_t>(problem.buffers.size(), 1));
  for (Packing& packing : packings) {
    packing = improve(problem, separations, std::move(packing), goal, packed_buffers / count);
    if (packing.placement.arena_bytes < best.arena_bytes) best = packing.placement;
    if (best.arena_bytes <= goal) return best;
  }
  search_upwards(problem, separations, goal, searched_nodes, best);
  return best;
}

}  // namespace mote
