// SPDX-License-Identifier: Apache-2.0
// What is alive outside of a segment does not depend on how the other tasks are grouped, so dynamic programming
// over the places between tasks finds the best groups.
#include "plan/segment_search.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace mote {

namespace {

constexpr size_t most_tasks = 48;  // of a segment
constexpr StripHeight strip_heights[] = {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}};
constexpr int64_t never = std::numeric_limits<int64_t>::max();

// About what RV32 takes, in instructions.
constexpr int64_t cost_of_call = 80, cost_of_byte = 1, cost_of_odd_mac = 2;

// The first task from there on that makes more rows of those it reads: less than a row a strip in front of it
// leaves it one.
size_t next_enlarging(const OrderedTasks& order, size_t position) {
  const auto enlarges = [](const RowInput& input) {
    return !input.whole && input.low.step < int64_t{1} << input.low.shift;
  };
  for (; position < order.rows.size() && order.rows[position]; ++position) {
    const std::vector<RowInput>& inputs = order.rows[position]->inputs;
    if (std::any_of(inputs.begin(), inputs.end(), enlarges)) return position;
  }
  return order.rows.size();
}

}  // namespace

SegmentSearch::SegmentSearch(const Graph& graph, const OrderedTasks& order) : order_(order) {
  const size_t count = order.tasks.size();
  int64_t highest = 0;
  for (size_t position = 0; position < count; ++position) {
    alone_.push_back(alone_bytes(position));
    if (order.row_input && position == 0) continue;
    highest = std::max(highest, alone_.back());
  }
  candidates_.resize(count);
  if (order.row_input) alone_[0] = never;  // the input would be whole
  for (size_t first = 0; first < count; ++first) {
    const size_t enlarging = next_enlarging(order, first + 1);
    for (const StripHeight& height : strip_heights) {
      if (order.row_input && first == 0 && height.rows > 1) break;
      EarliestRows known;
      for (size_t last = height.shift == 0 ? first + 1 : enlarging; last < std::min(count, first + most_tasks);
           ++last) {
        std::optional<StripLayout> layout = lay_out_strips(order, first, last, height, known);
        if (!layout || layout->window_bytes > highest) break;
        if (layout->windows.empty() || layout->strips < 2) continue;
        if (order.row_input && first == 0 && layout->windows[0].writer != 0) continue;
        const int64_t peak = peak_of(*layout);
        if (peak >= *std::max_element(alone_.begin() + static_cast<ptrdiff_t>(first),
                                      alone_.begin() + static_cast<ptrdiff_t>(last) + 1))
          continue;
        const int64_t cost = cost_of(graph, *layout);
        candidates_[last].push_back({*std::move(layout), peak, cost});
      }
    }
  }
}

// As OrderProblem counts it.
int64_t SegmentSearch::alone_bytes(size_t position) const {
  const Task& task = *order_.tasks[position];
  const auto now = static_cast<int64_t>(position);
  int64_t bytes = task.call.scratch_bytes;
  for (size_t value = 0; value < order_.value_bytes.size(); ++value) {
    if (order_.born[value] <= now && order_.last[value] >= now) bytes += order_.value_bytes[value];
  }
  int64_t shared = 0;
  for (const Permission& permission : task.permissions) {
    const size_t input = task.reads[permission.read];
    const int64_t output = order_.value_bytes[task.writes[0]];
    if (order_.last[input] == now)
      shared += std::min(order_.value_bytes[input], output + std::min<int64_t>(permission.distance, 0));
  }
  const int64_t most = task.writes.empty() ? 0 : order_.value_bytes[task.writes[0]];
  return bytes - std::min(shared, most);
}

int64_t SegmentSearch::peak_of(const StripLayout& layout) const {
  const auto first = static_cast<int64_t>(layout.first), last = static_cast<int64_t>(layout.last);
  int64_t bytes = layout.window_bytes;
  std::vector<size_t> dying;
  for (size_t value = 0; value < order_.value_bytes.size(); ++value) {
    if (order_.born[value] >= first || order_.last[value] < first) continue;
    bytes += order_.value_bytes[value];
    if (order_.last[value] <= last) dying.push_back(value);
  }
  for (const size_t output : layout.whole_outputs) {
    int64_t shared = 0;
    for (const size_t input : dying) {
      shared += std::clamp<int64_t>(order_.value_bytes[output] + strip_distance(order_, layout, output, input), 0,
                                    order_.value_bytes[input]);
    }
    bytes += order_.value_bytes[output] - std::min(shared, order_.value_bytes[output]);
  }
  int64_t passing = 0;  // what is alive within a strip only
  for (size_t position = layout.first; position <= layout.last; ++position) {
    int64_t now = order_.tasks[position]->call.scratch_bytes;
    for (const LayoutWindow& window : layout.windows) {
      if (!window.carries && window.writer <= position && position <= window.last_reader)
        now += window.rows * order_.rows[window.writer]->row_bytes;
    }
    passing = std::max(passing, now);
  }
  return bytes + passing;
}

int64_t SegmentSearch::cost_of(const Graph& graph, const StripLayout& layout) const {
  int64_t cost = layout.moved_bytes * cost_of_byte;
  for (size_t position = layout.first; position <= layout.last; ++position) {
    const Task& task = *order_.tasks[position];
    const Node& node = graph.nodes[task.node];
    const Types out = output_types(graph, node);
    const nn::RowCount& done = layout.done[position - layout.first];
    // A kernel that takes several pixels at once is slow with those that are left over.
    int64_t odd_pixels = 0;
    for (int32_t strip = 0; strip < layout.strips; ++strip) {
      const int64_t rows = done.at(strip) - done.at(strip - 1);
      cost += rows > 0 ? cost_of_call : 0;
      if (order_.rows[position]->folds) continue;
      odd_pixels += rows * out[0].shape[2] % task.call.order.block;
    }
    if (odd_pixels == 0) continue;
    const int64_t pixels = out[0].shape[1] * out[0].shape[2];
    cost += node.op->work(inputs_of(graph, node), out).macs / pixels * odd_pixels * cost_of_odd_mac;
  }
  return cost;
}

std::optional<std::vector<const SegmentCandidate*>> SegmentSearch::cheapest(int64_t limit_bytes) const {
  struct Way {
    int64_t cost = never;
    const SegmentCandidate* last = nullptr;
  };
  const size_t count = alone_.size();
  std::vector<Way> ways(count + 1);
  ways[0].cost = 0;
  for (size_t end = 1; end <= count; ++end) {
    if (alone_[end - 1] != never && alone_[end - 1] <= limit_bytes) ways[end].cost = ways[end - 1].cost;
    for (const SegmentCandidate& candidate : candidates_[end - 1]) {
      const Way& before = ways[candidate.layout.first];
      if (candidate.peak_bytes > limit_bytes || before.cost == never) continue;
      const int64_t cost = before.cost + candidate.cost;
      if (cost < ways[end].cost) ways[end] = {cost, &candidate};
    }
  }
  if (ways[count].cost == never) return std::nullopt;
  std::vector<const SegmentCandidate*> chosen;
  for (size_t end = count; end > 0;) {
    const SegmentCandidate* const last = ways[end].last;
    if (last != nullptr) chosen.push_back(last);
    end = last != nullptr ? last->layout.first : end - 1;
  }
  std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

int64_t SegmentSearch::least_peak() const {
  std::vector<int64_t> peaks(alone_.size() + 1, 0);
  for (size_t end = 1; end < peaks.size(); ++end) {
    peaks[end] = std::max(peaks[end - 1], alone_[end - 1]);
    for (const SegmentCandidate& candidate : candidates_[end - 1]) {
      peaks[end] = std::min(peaks[end], std::max(peaks[candidate.layout.first], candidate.peak_bytes));
    }
  }
  return peaks.back();
}

std::vector<int64_t> SegmentSearch::peaks_between(int64_t low_bytes, int64_t high_bytes) const {
  std::set<int64_t> peaks(alone_.begin(), alone_.end());
  for (const std::vector<SegmentCandidate>& candidates : candidates_) {
    for (const SegmentCandidate& candidate : candidates) peaks.insert(candidate.peak_bytes);
  }
  return {peaks.upper_bound(low_bytes), peaks.lower_bound(std::max(high_bytes, low_bytes + 1))};
}

Excess SegmentSearch::least_excess(int64_t limit_bytes) const {
  struct Way {
    int64_t excess = never;
    size_t before = 0;
  };
  std::vector<Way> ways(alone_.size() + 1);
  ways[0].excess = 0;
  for (size_t end = 1; end < ways.size(); ++end) {
    const auto take = [&](size_t before, int64_t peak) {
      const int64_t excess = ways[before].excess + std::max<int64_t>(peak - limit_bytes, 0);
      if (excess < ways[end].excess) ways[end] = {excess, before};
    };
    take(end - 1, alone_[end - 1]);
    for (const SegmentCandidate& candidate : candidates_[end - 1])
      take(candidate.layout.first, candidate.peak_bytes);
  }
  Excess result{ways.back().excess, {}};
  for (size_t end = alone_.size(); end > 0; end = ways[end].before) {
    if (ways[end].excess > ways[ways[end].before].excess) result.places.emplace_back(ways[end].before, end - 1);
  }
  return result;
}

void SegmentSearch::remove(const SegmentCandidate* candidate) {
  std::erase_if(candidates_[candidate->layout.last],
                [&](const SegmentCandidate& other) { return &other == candidate; });
}

}  // namespace mote
