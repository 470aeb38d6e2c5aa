// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "plan/build_plan.hpp"
#include "plan/order.hpp"
#include "plan/segment_search.hpp"
#include "plan/split.hpp"

namespace mote {

namespace {

constexpr size_t most_moves = 12;      // each costs a placement
constexpr int most_higher_peaks = 16;  // tried above the least one

// Steps that touch one state keep the order of the file: each may change it.
void keep_order_of_states(const Graph& graph, const std::vector<Task>& tasks, OrderProblem& problem) {
  std::vector<size_t> last(graph.tensors.size(), tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    for (const TensorId id : graph.nodes[tasks[i].node].in) {
      if (id == no_tensor || !graph.tensors[id].state) continue;
      if (last[id] < i) problem.fixed.emplace_back(last[id], i);
      last[id] = i;
    }
  }
}

OrderProblem order_problem(const Graph& graph, const Values& values, const std::vector<Task>& tasks) {
  OrderProblem problem;
  for (const Value& value : values.values) problem.value_bytes.push_back(value.bytes);
  problem.from_start.assign(values.values.size(), false);
  problem.to_end = problem.from_start;
  for (const TensorId id : graph.inputs) problem.from_start[values.of_tensor[id]] = true;
  for (const TensorId id : graph.outputs) problem.to_end[values.of_tensor[id]] = true;
  for (const TensorId id : states_of(graph)) {
    problem.from_start[values.of_tensor[id]] = true;
    problem.to_end[values.of_tensor[id]] = true;
  }
  for (const Task& task : tasks) {
    OrderTask entry{task.reads, task.writes, std::vector<int64_t>(task.reads.size(), 0), task.call.scratch_bytes};
    for (const Permission& permission : task.permissions) {
      const int64_t out_bytes = values.values[task.writes[0]].bytes;
      const int64_t in_bytes = values.values[task.reads[permission.read]].bytes;
      entry.saves[permission.read] = std::min(in_bytes, out_bytes + std::min<int64_t>(permission.distance, 0));
    }
    problem.tasks.push_back(std::move(entry));
  }
  keep_order_of_states(graph, tasks, problem);
  return problem;
}

// Segments of the search whose tasks all have calls; those that turn out not to be possible leave the search.
std::optional<std::vector<PlannedSegment>> possible_segments(const Graph& graph, const OrderedTasks& order,
                                                             int64_t limit_bytes, SegmentSearch& search) {
  while (true) {
    const auto chosen = search.cheapest(limit_bytes);
    if (!chosen) return std::nullopt;
    std::vector<PlannedSegment> segments;
    const SegmentCandidate* impossible = nullptr;
    for (const SegmentCandidate* const candidate : *chosen) {
      std::optional<PlannedSegment> segment = plan_segment(graph, order, candidate->layout);
      if (!segment) {
        impossible = candidate;
        break;
      }
      segments.push_back(*std::move(segment));
    }
    if (impossible == nullptr) return segments;
    search.remove(impossible);
  }
}

// Outputs that overlap their dying inputs come to lie lower and lower, until nothing fits below: some tensors move
// back up where that makes the arena smaller. Tensors that need not move stay.
void move_values(const Graph& graph, const Values& values, int64_t least_align, Draft& draft) {
  // A fiftieth is not worth a move.
  if (50 * (draft.plan.arena_bytes - draft.plan.lower_bound_bytes) < draft.plan.arena_bytes) return;
  const OrderedTasks& order = *draft.order;
  MovedValues moved;
  std::set<size_t> steps;
  std::vector<size_t> by_size(order.value_bytes.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return order.value_bytes[a] > order.value_bytes[b]; });
  for (const size_t value : by_size) {
    if (8 * order.value_bytes[value] <= draft.plan.arena_bytes || moved.size() == most_moves) break;
    const std::optional<size_t> step = move_step(order, draft.segments, value);
    if (step && steps.insert(*step).second) moved.push_back(value);
  }
  if (moved.empty()) return;
  Plan smaller = build_plan(graph, values, order, draft.segments, moved, least_align);
  if (smaller.arena_bytes >= draft.plan.arena_bytes) return;
  std::erase_if(moved, [&](size_t value) {  // those that stay where they are
    const auto move = std::find_if(smaller.moves.begin(), smaller.moves.end(),
                                   [&](const Move& one) { return one.from == value; });
    return smaller.buffers[move->from].offset == smaller.buffers[move->to].offset;
  });
  for (size_t i = moved.size(); i-- > 0;) {
    MovedValues fewer = moved;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    Plan tried = build_plan(graph, values, order, draft.segments, fewer, least_align);
    if (tried.arena_bytes > smaller.arena_bytes) continue;
    smaller = std::move(tried);
    moved = std::move(fewer);
  }
  draft.plan = std::move(smaller);
  draft.moved = std::move(moved);
}

// nullopt: no segments have a peak of at most the limit.
std::optional<Draft> draft_below(const Graph& graph, const Values& values,
                                 const std::shared_ptr<const OrderedTasks>& order, const PlanOptions& options,
                                 int64_t limit_bytes, SegmentSearch& search) {
  auto segments = possible_segments(graph, *order, limit_bytes, search);
  if (!segments) return std::nullopt;
  Draft draft{order, *std::move(segments), {}, {}};
  draft.plan = build_plan(graph, values, *order, draft.segments, {}, options.least_align);
  if (draft.plan.arena_bytes > *options.arena_goal_bytes) move_values(graph, values, options.least_align, draft);
  return draft;
}

// Where the goal is out of reach: choices of higher and higher peaks. They may leave smaller gaps between buffers,
// and what is no larger costs less.
void stream_above_least(const Graph& graph, const Values& values, const std::shared_ptr<const OrderedTasks>& order,
                        const PlanOptions& options, SegmentSearch& search, Draft& best) {
  std::optional<std::vector<const SegmentCandidate*>> known = search.cheapest(search.least_peak());
  int tries = 0;
  for (const int64_t limit : search.peaks_between(search.least_peak(), best.plan.arena_bytes)) {
    if (limit >= best.plan.arena_bytes || tries == most_higher_peaks) return;
    auto chosen = search.cheapest(limit);
    if (chosen == known) continue;
    known = std::move(chosen);
    ++tries;
    std::optional<Draft> draft = draft_below(graph, values, order, options, limit, search);
    if (!draft) continue;
    const bool cheaper = best.order == order && !best.segments.empty() && draft->moved.size() <= best.moved.size();
    const int64_t most = best.plan.arena_bytes - (cheaper ? 0 : 1);
    if (draft->plan.arena_bytes <= most) best = *std::move(draft);
  }
}

// The cheapest plan in this order that meets the goal, or the smallest that was found.
void stream(const Graph& graph, const Values& values, const std::shared_ptr<const OrderedTasks>& order,
            const PlanOptions& options, Draft& best) {
  SegmentSearch search(graph, *order);
  int64_t limit = std::max(*options.arena_goal_bytes, search.least_peak());
  // Buffers of the right sum may still leave gaps between them: then the next limit is lower by what is missing.
  for (int tries = 0; tries < 8 && limit >= search.least_peak(); ++tries) {
    std::optional<Draft> draft = draft_below(graph, values, order, options, limit, search);
    if (!draft) {
      limit = search.least_peak();
      continue;
    }
    const int64_t arena = draft->plan.arena_bytes;
    if (arena < best.plan.arena_bytes) best = *std::move(draft);
    if (arena <= *options.arena_goal_bytes) return;
    limit = std::min(limit - 1, limit - (arena - *options.arena_goal_bytes));
  }
  if (best.plan.arena_bytes > *options.arena_goal_bytes)
    stream_above_least(graph, values, order, options, search, best);
}

[[noreturn]] void fail_to_stream(const Graph& graph, const OrderedTasks& order) {
  constexpr std::string_view way_out = "compile without --stream-input";
  const size_t input = order.tasks[0]->writes[0];
  for (const size_t reader : order.readers[input]) {
    const std::string& origin = graph.nodes[order.tasks[reader]->node].origin;
    const auto needs_all = [&](const RowInput& one) { return one.value == input && one.whole; };
    const auto& rows = order.rows[reader];
    if (rows && std::none_of(rows->inputs.begin(), rows->inputs.end(), needs_all)) continue;
    fail("--stream-input: {} reads the input and needs all of it at once; {}", origin, way_out);
  }
  const std::string last =
      order.readers[input].empty() ? "" : graph.nodes[order.tasks[order.readers[input].back()]->node].origin;
  fail("--stream-input: {} reads the input after layers that need all rows; {}", last, way_out);
}

// The plan for one core.
Draft draft_plan(const Graph& graph, const Values& values, const std::vector<Task>& tasks,
                 const PlanOptions& options) {
  const std::vector<size_t> order = best_order(order_problem(graph, values, tasks));
  const auto in_order = [&](const std::vector<size_t>& one) {
    OrderedTasks result = ordered(graph, values, tasks, one, options.core);
    result.row_input = options.stream_input;
    return std::make_shared<const OrderedTasks>(std::move(result));
  };
  Draft draft{in_order(order), {}, {}, {}};
  const std::shared_ptr<const OrderedTasks> best = draft.order;
  if (options.stream_input) {
    draft.plan.arena_bytes = std::numeric_limits<int64_t>::max();  // there is none without a segment
  } else {
    draft.plan = build_plan(graph, values, *best, {}, {}, options.least_align);
  }
  if (!options.arena_goal_bytes || draft.plan.arena_bytes <= *options.arena_goal_bytes) return draft;
  stream(graph, values, best, options, draft);
  std::vector<size_t> given(tasks.size());
  std::iota(given.begin(), given.end(), size_t{0});
  if (given != order && draft.plan.arena_bytes > *options.arena_goal_bytes)
    stream(graph, values, in_order(given), options, draft);
  if (draft.segments.empty() && options.stream_input) fail_to_stream(graph, *best);
  return draft;
}

}  // namespace

Plan make_plan(const Graph& graph, const PlanOptions& options) {
  require(options.cores == 1 || options.cores == 2, "a step is split over two cores at most, {} are asked for",
          options.cores);
  require(options.cores == 1 || !options.stream_input,
          "--stream-input and --cores 2 do not go together: layers that take rows as they come are not split");
  Values values = find_values(graph, options.least_align);
  if (options.stream_input) values.values[values.of_tensor[graph.inputs[0]]].bytes = 0;
  const std::vector<Task> tasks = find_tasks(graph, values, options.core);
  PlanOptions asked = options;
  // Row input needs a segment, in any arena: then the cheapest one.
  if (asked.stream_input && !asked.arena_goal_bytes)
    asked.arena_goal_bytes = std::numeric_limits<int64_t>::max() / 2;
  Draft draft = draft_plan(graph, values, tasks, asked);
  if (options.cores == 1) return std::move(draft.plan);
  std::optional<int64_t> most_arena_bytes;
  if (options.arena_goal_bytes) most_arena_bytes = std::max(*options.arena_goal_bytes, draft.plan.arena_bytes);
  Plan plan = split_steps(graph, values, std::move(draft), options.least_align, most_arena_bytes).plan;
  plan.cores = options.cores;
  return plan;
}

}  // namespace mote
