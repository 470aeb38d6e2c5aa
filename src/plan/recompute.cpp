// SPDX-License-Identifier: Apache-2.0
// Greedy: of the places that exceed a limit a little below the peak, the change that takes most off the excess,
// until the peak is low enough or nothing helps. What turns out not to be needed is taken back.
#include "plan/recompute.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "ir/rows.hpp"
#include "plan/build_plan.hpp"
#include "plan/graph_copies.hpp"
#include "plan/segment_search.hpp"

namespace mote {

namespace {

constexpr size_t most_copied = 40;      // nodes at once
constexpr size_t most_analysed = 2000;  // graphs
constexpr int most_tries = 8;

// Nodes that were lowered before: a copy makes of itself what its original does.
class KnownNodes {
 public:
  explicit KnownNodes(const Core& core) : core_(core) {}

  const LoweredNode& of(const GraphCopies& graph, const Node& node) {
    std::vector<TensorId> tensors = node.in;
    tensors.insert(tensors.end(), node.out.begin(), node.out.end());
    for (TensorId& id : tensors) {
      for (auto copy = graph.original.find(id); copy != graph.original.end(); copy = graph.original.find(id))
        id = copy->second;
    }
    const std::pair key{node.op, std::move(tensors)};
    const auto known = nodes_.find(key);
    return known != nodes_.end() ? known->second
                                 : nodes_.emplace(key, lowered(graph.graph, node, core_)).first->second;
  }

 private:
  const Core& core_;
  // Operators and the originals of their tensors. What splits a node makes new operators, which stay alive here.
  std::map<std::pair<OperatorPtr, std::vector<TensorId>>, LoweredNode> nodes_;
};

// A graph in the order of its nodes, and what its segments make of it.
struct Analysis {
  GraphCopies graph;
  Values values;
  std::vector<Task> tasks;
  OrderedTasks order;
  std::unique_ptr<SegmentSearch> search;

  Analysis(GraphCopies copies, const PlanOptions& options, KnownNodes& known)
      : graph(std::move(copies)),
        values(find_values(graph.graph, options.least_align)),
        tasks(find_tasks(graph.graph, values, [&](const Node& node) { return known.of(graph, node); })) {
    std::vector<size_t> given(tasks.size());
    std::iota(given.begin(), given.end(), size_t{0});
    order = ordered(graph.graph, values, tasks, given, options.core);
    search = std::make_unique<SegmentSearch>(graph.graph, order);
  }
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;

  [[nodiscard]] int64_t peak() const { return search->least_peak(); }
};

using Analysed = std::shared_ptr<const Analysis>;

// Instructions that the copies take, roughly.
int64_t cost_of(const GraphCopies& graph) {
  int64_t cost = 0;
  for (size_t i = 0; i < graph.graph.nodes.size(); ++i) {
    const Node& node = graph.graph.nodes[i];
    if (graph.group[i] == 0 || node.op->alias() == Alias::view) continue;
    const Types out = output_types(graph.graph, node);
    cost += 3 * node.op->work(inputs_of(graph.graph, node), out).macs + 4 * elements(out[0].shape);
  }
  return cost;
}

// What might help with a value that is alive at a place of excess.
class Changes {
 public:
  Changes(const Analysis& now, int64_t least_bytes) : now_(now), least_bytes_(least_bytes) {}

  std::vector<GraphCopies> at(size_t first, size_t last) {
    std::vector<size_t> large;
    for (size_t value = 0; value < order().value_bytes.size(); ++value) {
      if (order().value_bytes[value] >= least_bytes_ && order().last[value] >= static_cast<int64_t>(first))
        large.push_back(value);
    }
    std::stable_sort(large.begin(), large.end(),
                     [&](size_t a, size_t b) { return order().value_bytes[a] > order().value_bytes[b]; });
    for (const size_t value : large) {
      add_folds(value);  // a segment that begins here may go on to a mean far away
      const std::vector<size_t>& readers = order().readers[value];
      if (order().born[value] > static_cast<int64_t>(last) || readers.empty()) continue;
      for (const size_t beginning : {first, last + 1}) {
        const auto reader = std::lower_bound(readers.begin(), readers.end(), beginning);
        if (reader != readers.end()) add_copies(value, *reader);
      }
      add_copies(value, readers.back());
    }
    return std::exchange(found_, {});
  }

 private:
  [[nodiscard]] const OrderedTasks& order() const { return now_.order; }
  [[nodiscard]] const Graph& graph() const { return now_.graph.graph; }

  // Global means of the value take its rows as they come; the copies' tensors are behind the graph's.
  [[nodiscard]] GraphCopies folded(GraphCopies copies, size_t value) const {
    for (size_t i = 0; i < copies.graph.nodes.size(); ++i) {
      const TensorId in = copies.graph.nodes[i].in.empty() ? no_tensor : copies.graph.nodes[i].in[0];
      if (in >= graph().tensors.size() || now_.values.of_tensor[in] != value) continue;
      if (std::optional<GraphCopies> split = with_rows_folded(copies, i)) copies = *std::move(split);
    }
    return copies;
  }

  void add_folds(size_t value) {
    if (!folded_.insert(value).second) return;
    GraphCopies changed = folded(now_.graph, value);
    if (changed.graph.nodes.size() > graph().nodes.size()) found_.push_back(std::move(changed));
  }

  // The one task that computes the value and can do it again; nullopt: there is none.
  [[nodiscard]] std::optional<size_t> maker(size_t value) const {
    if (order().born[value] < 0) return std::nullopt;
    const auto position = static_cast<size_t>(order().born[value]);
    const Node& node = graph().nodes[order().tasks[position]->node];
    const bool remembers = std::any_of(node.in.begin(), node.in.end(),
                                       [&](TensorId id) { return id != no_tensor && graph().tensors[id].state; });
    return remembers || node.out.size() != 1 ? std::nullopt : std::optional(position);
  }

  // Copies for the readers from position `reader` on, of longer and longer chains of layers.
  void add_copies(size_t value, size_t reader) {
    if (order().readers[value].empty() || order().readers[value][0] >= reader || !maker(value)) return;
    if (!seen_.insert({value, reader}).second) return;
    std::set<size_t> copied{value};
    int64_t least_kept = order().value_bytes[value];
    while (true) {
      const auto [kept, next] = frontier(copied, reader);
      if (kept < least_kept) {
        least_kept = kept;
        add(copied, value, reader);
      }
      if (!next || copied.size() == most_copied) return;
      copied.insert(*next);
    }
  }

  // Bytes that would have to wait for the copies, and the latest value among these that can be copied as well.
  [[nodiscard]] std::pair<int64_t, std::optional<size_t>> frontier(const std::set<size_t>& copied,
                                                                   size_t reader) const {
    std::set<size_t> read;
    for (const size_t value : copied) {
      for (const size_t input : order().tasks[*maker(value)]->reads) {
        if (copied.count(input) == 0 && order().last[input] < static_cast<int64_t>(reader)) read.insert(input);
      }
    }
    int64_t bytes = 0;
    std::optional<size_t> latest;
    for (const size_t value : read) {
      bytes += order().value_bytes[value];
      if (maker(value) && (!latest || order().born[value] > order().born[*latest])) latest = value;
    }
    return {bytes, latest};
  }

  void add(const std::set<size_t>& copied, size_t value, size_t reader) {
    const size_t before = order().tasks[reader]->node;
    std::vector<size_t> nodes;
    for (const size_t one : copied) {
      for (const size_t node : makers_of(graph(), now_.values, one)) {
        if (node < before) nodes.push_back(node);
      }
    }
    std::sort(nodes.begin(), nodes.end());
    found_.push_back(folded(with_copies(now_.graph, nodes, before), value));
  }

  const Analysis& now_;
  int64_t least_bytes_;
  std::set<size_t> folded_;                   // values whose means were considered
  std::set<std::pair<size_t, size_t>> seen_;  // values and readers whose copies were
  std::vector<GraphCopies> found_;
};

class Search {
 public:
  explicit Search(const PlanOptions& options) : options_(options), known_(options.core) {}

  Analysed analyse(GraphCopies graph) {
    ++analysed_;
    return std::make_shared<const Analysis>(std::move(graph), options_, known_);
  }

  // The graph whose segments have a peak of at most `goal`, or about the lowest that was found.
  Analysed reach(Analysed now, int64_t goal) {
    while (now->peak() > goal && analysed_ < most_analysed) {
      const int64_t peak = now->peak();
      Analysed lower = below(now, std::max(goal, peak - peak / 32));
      if (lower->peak() >= peak) lower = below(now, std::max(goal, peak - 1));
      if (lower->peak() >= peak) break;
      now = std::move(lower);
    }
    return take_back(std::move(now), goal);
  }

 private:
  // Changes until nothing exceeds the limit, or as long as they help.
  Analysed below(Analysed now, int64_t limit) {
    while (analysed_ < most_analysed) {
      const Excess excess = now->search->least_excess(limit);
      if (excess.bytes == 0) return now;
      Analysed better = best_change(*now, excess, limit);
      if (better == nullptr) return now;
      now = std::move(better);
    }
    return now;
  }

  Analysed best_change(const Analysis& now, const Excess& excess, int64_t limit) {
    Changes changes(now, limit / 32);
    Analysed best;
    int64_t least = excess.bytes, least_cost = 0;
    for (const auto& [first, last] : excess.places) {
      for (GraphCopies& changed : changes.at(first, last)) {
        const int64_t cost = cost_of(changed);
        Analysed tried = analyse(std::move(changed));
        const int64_t left = tried->search->least_excess(limit).bytes;
        if (left > least || (left == least && (best == nullptr || cost >= least_cost))) continue;
        best = std::move(tried);
        least = left, least_cost = cost;
      }
    }
    return best;
  }

  // Without the copies that the peak does not need.
  Analysed take_back(Analysed now, int64_t goal) {
    const int64_t enough = std::max(goal, now->peak());
    for (size_t group = now->graph.groups; group > 0; --group) {
      Analysed fewer = analyse(without_group(now->graph, group));
      if (fewer->peak() <= enough) now = std::move(fewer);
    }
    return now;
  }

  const PlanOptions& options_;
  KnownNodes known_;
  size_t analysed_ = 0;
};

}  // namespace

std::optional<Recomputed> recompute(const Graph& graph, const Plan& plan, const PlanOptions& options) {
  PlanOptions asked = options;
  asked.arena_goal_bytes = options.recompute_above_bytes.value();
  std::vector<size_t> order;
  for (const Step& step : plan.steps) order.push_back(step.node);
  Search search(options);
  const Analysed given = search.analyse(in_order(graph, order));
  std::optional<Recomputed> best;
  int64_t goal = *asked.arena_goal_bytes;
  for (int tries = 0; tries < most_tries; ++tries) {
    const Analysed found = search.reach(given, goal);
    Plan tried = make_plan(found->graph.graph, asked);
    const int64_t missing = tried.arena_bytes - *asked.arena_goal_bytes;
    if (tried.arena_bytes < (best ? best->plan : plan).arena_bytes)
      best = Recomputed{found->graph.graph, std::move(tried)};
    // Buffers of the right sum may still leave gaps between them: then the next goal is lower by what is missing,
    // and by more each time.
    if (missing <= 0 || found->peak() > goal) break;
    goal = std::min(goal, found->peak()) - std::max(missing, (*asked.arena_goal_bytes / 128) << tries);
  }
  if (best) verify(best->graph);
  return best;
}

std::vector<Repeat> repeats_of(const Graph& graph) {
  std::vector<TensorId> same(graph.tensors.size());  // the first tensor with these values
  std::iota(same.begin(), same.end(), TensorId{0});
  std::map<std::pair<const Operator*, std::vector<TensorId>>, size_t> known;
  std::vector<Repeat> repeats;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    std::vector<TensorId> in = node.in;
    for (TensorId& id : in) id = id == no_tensor ? id : same[id];
    const auto [first, fresh] = known.try_emplace({node.op.get(), in}, i);
    if (fresh) continue;
    for (size_t k = 0; k < node.out.size(); ++k) same[node.out[k]] = same[graph.nodes[first->second].out.at(k)];
    if (node.op->alias() != Alias::view) repeats.push_back({i, first->second});
  }
  return repeats;
}

}  // namespace mote
