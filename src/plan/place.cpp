// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "plan/separation.hpp"

namespace mote {

Placement place(const PlacementProblem& problem) {
  const Separations separations(problem);
  std::vector<size_t> order(problem.buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return problem.buffers[a].bytes > problem.buffers[b].bytes; });
  Placement result;
  result.offsets.assign(problem.buffers.size(), -1);
  for (const size_t buffer : order) {
    result.offsets[buffer] = separations.lowest_offset(buffer, result.offsets);
    result.arena_bytes = std::max(result.arena_bytes, result.offsets[buffer] + problem.buffers[buffer].bytes);
  }
  return result;
}

}  // namespace mote
