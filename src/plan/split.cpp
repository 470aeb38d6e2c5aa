// SPDX-License-Identifier: Apache-2.0
// The parts of two cores are two strips of a segment of one step: rows of its output, the same kernel, no copy.
#include "plan/split.hpp"

#include <algorithm>

namespace mote {

namespace {

constexpr int64_t cores = 2;

// Below that, in instructions and roughly, two barriers and the wait for the slower core are not worth it.
constexpr int64_t least_work = 4000;

struct Candidate {
  PlannedSegment segment;
  int64_t work = 0;
};

int64_t rough_work(const Graph& graph, const Node& node) {
  const Types out = output_types(graph, node);
  return 3 * node.op->work(inputs_of(graph, node), out).macs + 4 * elements(out[0].shape);
}

std::optional<Candidate> split(const Graph& graph, const OrderedTasks& order, size_t position) {
  if (!order.rows[position] || order.rows[position]->folds) return std::nullopt;
  const int64_t work = rough_work(graph, graph.nodes[order.tasks[position]->node]);
  if (work < least_work) return std::nullopt;
  const auto rows = narrow<int32_t>(order.rows[position]->rows);
  // What cannot be split runs on core 0, so it takes the smaller half of an odd number.
  const nn::RowCount done{rows - rows / 2, rows / 2, 0, rows};
  const StripLayout layout{position, position, cores, {done}, {}, {order.tasks[position]->writes[0]}, 0, 0};
  std::optional<PlannedSegment> segment = plan_segment(graph, order, layout);
  if (!segment) return std::nullopt;
  segment->parallel = true;
  return Candidate{*std::move(segment), work};
}

bool in_segment(const std::vector<PlannedSegment>& segments, size_t position) {
  return std::any_of(segments.begin(), segments.end(), [&](const PlannedSegment& segment) {
    return segment.layout->first <= position && position <= segment.layout->last;
  });
}

std::vector<PlannedSegment> with(std::vector<PlannedSegment> segments, const PlannedSegment& added) {
  const auto behind = std::find_if(segments.begin(), segments.end(), [&](const PlannedSegment& segment) {
    return segment.layout->first > added.layout->first;
  });
  segments.insert(behind, added);
  return segments;
}

}  // namespace

Draft split_steps(const Graph& graph, const Values& values, Draft draft, int64_t least_align,
                  std::optional<int64_t> most_arena_bytes) {
  std::vector<Candidate> candidates;
  for (size_t position = 0; position < draft.order->tasks.size(); ++position) {
    if (in_segment(draft.segments, position)) continue;
    if (std::optional<Candidate> candidate = split(graph, *draft.order, position))
      candidates.push_back(*std::move(candidate));
  }
  // Those that take most first: with a limit, others may not find room.
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.work > b.work; });
  const auto build = [&](const std::vector<PlannedSegment>& segments) {
    return build_plan(graph, values, *draft.order, segments, draft.moved, least_align);
  };
  std::vector<PlannedSegment> all = draft.segments;
  for (const Candidate& candidate : candidates) all = with(std::move(all), candidate.segment);
  Plan plan = build(all);
  if (!most_arena_bytes || plan.arena_bytes <= *most_arena_bytes) {
    draft.segments = std::move(all);
    draft.plan = std::move(plan);
    return draft;
  }
  for (const Candidate& candidate : candidates) {
    std::vector<PlannedSegment> more = with(draft.segments, candidate.segment);
    Plan tried = build(more);
    if (tried.arena_bytes > *most_arena_bytes) continue;
    draft.segments = std::move(more);
    draft.plan = std::move(tried);
  }
  return draft;
}

}  // namespace mote
