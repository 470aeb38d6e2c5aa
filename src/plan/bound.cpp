// SPDX-License-Identifier: Apache-2.0
// A lower bound of every placement: the bytes that are alive in one step, less what may be shared in it.
#include <algorithm>

#include "plan/plan.hpp"

namespace mote {

namespace {

// The most bytes that the two buffers can share: the input starts at or above output - distance, so with a
// negative distance the output's first -distance bytes stay alone.
int64_t shareable_bytes(const Buffer& output, const Buffer& input, int64_t distance) {
  return std::clamp(output.bytes + distance, int64_t{0}, std::min(output.bytes, input.bytes));
}

}  // namespace

std::vector<int64_t> step_bounds_bytes(const PlacementProblem& problem) {
  int64_t steps = 0;
  for (const Buffer& buffer : problem.buffers) steps = std::max(steps, buffer.live.last + 1);
  std::vector<int64_t> alive(static_cast<size_t>(steps), 0);
  for (const Buffer& buffer : problem.buffers) {
    for (int64_t step = buffer.live.first; step <= buffer.live.last; ++step) {
      alive[static_cast<size_t>(step)] += buffer.bytes;
    }
  }
  // Of each output; its inputs are disjoint from each other.
  for (size_t output = 0; output < problem.buffers.size(); ++output) {
    const Buffer& buffer = problem.buffers[output];
    std::vector<int64_t> shared(static_cast<size_t>(steps), 0);
    for (const Overlap& overlap : problem.overlaps) {
      if (overlap.output != output || !applies(problem, overlap)) continue;
      const Buffer& input = problem.buffers[overlap.input];
      for (int64_t step = buffer.live.first; step <= std::min(buffer.live.last, input.live.last); ++step)
        shared[static_cast<size_t>(step)] += shareable_bytes(buffer, input, overlap.distance);
    }
    for (size_t step = 0; step < shared.size(); ++step) alive[step] -= std::min(shared[step], buffer.bytes);
  }
  return alive;
}

int64_t lower_bound_bytes(const PlacementProblem& problem) {
  const std::vector<int64_t> bounds = step_bounds_bytes(problem);
  return bounds.empty() ? 0 : *std::max_element(bounds.begin(), bounds.end());
}

}  // namespace mote
