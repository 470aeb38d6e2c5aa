// SPDX-License-Identifier: Apache-2.0
#include "plan/separation.hpp"

#include <algorithm>

namespace mote {

namespace {

bool together(const Buffer& a, const Buffer& b) {
  return a.bytes > 0 && b.bytes > 0 && a.live.first <= b.live.last && b.live.first <= a.live.last;
}

}  // namespace

Separations::Separations(const PlacementProblem& problem) : separations_(problem.buffers.size()) {
  for (size_t a = 0; a < problem.buffers.size(); ++a) {
    align_.push_back(problem.buffers[a].align);
    for (size_t b = 0; b < problem.buffers.size(); ++b) {
      if (a == b || !together(problem.buffers[a], problem.buffers[b])) continue;
      separations_[a].push_back({b, problem.buffers[b].bytes, problem.buffers[a].bytes});
    }
  }
  for (const Overlap& overlap : problem.overlaps) {
    const Buffer& output = problem.buffers[overlap.output];
    if (!applies(problem, overlap)) continue;
    const int64_t shorter = std::min(output.bytes, -overlap.distance);
    for (Separation& separation : separations_[overlap.output]) {
      if (separation.other == overlap.input) separation.below = shorter;
    }
    for (Separation& separation : separations_[overlap.input]) {
      if (separation.other == overlap.output) separation.above = shorter;
    }
  }
}

// Every step up is forced by a buffer that is in the way, so it does not matter in which order they are asked.
int64_t Separations::lowest_offset(size_t buffer, const std::vector<int64_t>& offsets, int64_t from) const {
  int64_t lowest = from, before = -1;
  while (lowest != before) {
    before = lowest;
    for (const Separation& separation : separations_[buffer]) {
      const int64_t offset = offsets[separation.other];
      if (offset >= 0 && offset - separation.below < lowest && lowest < offset + separation.above)
        lowest = align_up(offset + separation.above, align_[buffer]);
    }
  }
  return lowest;
}

}  // namespace mote
