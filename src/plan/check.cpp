// SPDX-License-Identifier: Apache-2.0
// The independent proof of a placement: every pair of buffers, without the placer's data structures.
#include <algorithm>

#include "plan/plan.hpp"

namespace mote {

namespace {

std::string text_of(const PlacementProblem& problem, const Placement& placement, size_t index) {
  const Buffer& buffer = problem.buffers[index];
  return fmt::format("buffer {} (bytes {} to {}, steps {} to {})", index, placement.offsets[index],
                     placement.offsets[index] + buffer.bytes, buffer.live.first, buffer.live.last);
}

// May `output` at its place share bytes with `input` at its place, by one of the permissions?
bool permitted(const PlacementProblem& problem, const Placement& placement, size_t output, size_t input) {
  const int64_t birth = problem.buffers[output].live.first, death = problem.buffers[input].live.last;
  bool allowed = false;
  for (const Overlap& overlap : problem.overlaps) {
    if (overlap.output != output || overlap.input != input) continue;
    const bool in_segment = overlap.during.first >= 0;
    if (!in_segment && birth != death) return false;
    if (in_segment && (birth < overlap.during.first || death > overlap.during.last)) return false;
    if (placement.offsets[output] - placement.offsets[input] > overlap.distance) return false;
    allowed = true;
  }
  return allowed;
}

void check_alone(const PlacementProblem& problem, const Placement& placement, size_t index) {
  const Buffer& buffer = problem.buffers[index];
  const int64_t offset = placement.offsets[index];
  require(buffer.bytes >= 0 && buffer.align > 0 && buffer.live.first <= buffer.live.last, "{} makes no sense",
          text_of(problem, placement, index));
  require(offset >= 0 && offset + buffer.bytes <= placement.arena_bytes, "{} leaves the arena of {} bytes",
          text_of(problem, placement, index), placement.arena_bytes);
  require(offset % buffer.align == 0, "{} is not aligned to {}", text_of(problem, placement, index), buffer.align);
}

void check_pair(const PlacementProblem& problem, const Placement& placement, size_t a, size_t b) {
  const Buffer& first = problem.buffers[a];
  const Buffer& second = problem.buffers[b];
  if (first.live.last < second.live.first || second.live.last < first.live.first) return;
  const int64_t shared = std::min(placement.offsets[a] + first.bytes, placement.offsets[b] + second.bytes) -
                         std::max(placement.offsets[a], placement.offsets[b]);
  if (shared <= 0 || first.bytes == 0 || second.bytes == 0) return;
  require(permitted(problem, placement, a, b) || permitted(problem, placement, b, a),
          "the memory plan is wrong: {} and {} share {} bytes while both are alive",
          text_of(problem, placement, a), text_of(problem, placement, b), shared);
}

}  // namespace

void check(const PlacementProblem& problem, const Placement& placement) {
  const size_t count = problem.buffers.size();
  require(placement.offsets.size() == count, "the memory plan places {} of {} buffers", placement.offsets.size(),
          count);
  for (const Overlap& overlap : problem.overlaps) {
    require(overlap.output < count && overlap.input < count && overlap.output != overlap.input,
            "an overlap names the buffers {} and {} of {}", overlap.output, overlap.input, count);
  }
  for (size_t a = 0; a < count; ++a) {
    check_alone(problem, placement, a);
    for (size_t b = 0; b < a; ++b) check_pair(problem, placement, a, b);
  }
}

std::vector<Arena> arenas_of(const Plan& plan) {
  return plan.arenas.empty() ? std::vector<Arena>{{"", plan.arena_bytes}} : plan.arenas;
}

bool streams(const Plan& plan) {
  const auto by_rows = [](const Segment& segment) { return !segment.parallel; };
  return !plan.moves.empty() || std::any_of(plan.segments.begin(), plan.segments.end(), by_rows);
}

void check_plan(const Plan& plan) {
  const std::vector<Arena> arenas = arenas_of(plan);
  std::vector<PlacementProblem> problems(arenas.size());
  std::vector<Placement> placements(arenas.size());
  std::vector<size_t> index(plan.buffers.size());
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& buffer = plan.buffers[i];
    require(buffer.arena < arenas.size(), "buffer {} is in arena {} of {}", i, buffer.arena, arenas.size());
    index[i] = problems[buffer.arena].buffers.size();
    problems[buffer.arena].buffers.push_back(buffer);
    placements[buffer.arena].offsets.push_back(buffer.offset);
  }
  for (const Overlap& overlap : plan.overlaps) {
    const size_t arena = plan.buffers.at(overlap.output).arena;
    require(arena == plan.buffers.at(overlap.input).arena, "an overlap permits sharing between two arenas");
    problems[arena].overlaps.push_back(
        {index[overlap.output], index[overlap.input], overlap.distance, overlap.during});
  }
  int64_t bytes = 0;
  for (size_t arena = 0; arena < arenas.size(); ++arena) {
    placements[arena].arena_bytes = arenas[arena].bytes;
    bytes += arenas[arena].bytes;
    check(problems[arena], placements[arena]);
  }
  require(bytes == plan.arena_bytes, "the arenas have {} bytes, the plan says {}", bytes, plan.arena_bytes);
}

}  // namespace mote
