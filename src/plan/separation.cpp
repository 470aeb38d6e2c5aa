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

int64_t Separations::lowest_offset(size_t buffer, const std::vector<int64_t>& offsets) const {
  struct Taken {
    int64_t low, high;  // offsets strictly between the two are not allowed
  };
  std::vector<Taken> taken;
  for (const Separation& separation : separations_[buffer]) {
    const int64_t offset = offsets[separation.other];
    if (offset >= 0) taken.push_back({offset - separation.below, offset + separation.above});
  }
  std::sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) { return a.low < b.low; });
  int64_t lowest = 0;
  for (const Taken& range : taken) {
    if (range.low >= lowest) break;
    if (lowest < range.high) lowest = align_up(range.high, align_[buffer]);
  }
  return lowest;
}

}  // namespace mote
