// SPDX-License-Identifier: Apache-2.0
// What is alive depends on which tasks have run, not on their order: so the search goes from set to set, one task
// a layer, and keeps for each set only the best way to get there.
#include "plan/order.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace mote {

namespace {

constexpr size_t kept_states = 256;

// How many readers each value still waits for, and what that makes alive.
class Memory {
 public:
  explicit Memory(const OrderProblem& problem) : problem_(&problem), waiting_(problem.value_bytes.size(), 0) {
    for (const OrderTask& task : problem.tasks) {
      for (const size_t value : task.reads) ++waiting_[value];
    }
    for (size_t value = 0; value < waiting_.size(); ++value) {
      if (problem.from_start[value]) alive_ += problem.value_bytes[value];
    }
    highest_ = alive_;
  }

  void run(const OrderTask& task) {
    int64_t written = 0, shared = 0;
    for (const size_t value : task.writes) written += problem_->value_bytes[value];
    for (size_t i = 0; i < task.reads.size(); ++i) {
      if (waiting_[task.reads[i]] == 1 && !problem_->to_end[task.reads[i]]) shared += task.saves[i];
    }
    const int64_t first_output = task.writes.empty() ? 0 : problem_->value_bytes[task.writes[0]];
    alive_ += written;
    highest_ = std::max(highest_, alive_ + task.scratch_bytes - std::min(shared, first_output));
    for (const size_t value : task.reads) --waiting_[value];
    for (const size_t value : task.reads) release_if_dead(value);
    for (const size_t value : task.writes) release_if_dead(value);
  }

  [[nodiscard]] int64_t alive() const { return alive_; }
  [[nodiscard]] int64_t highest() const { return highest_; }

 private:
  void release_if_dead(size_t value) {
    if (waiting_[value] == 0 && !problem_->to_end[value]) alive_ -= problem_->value_bytes[value];
  }

  const OrderProblem* problem_;
  std::vector<size_t> waiting_;
  int64_t alive_ = 0, highest_ = 0;
};

// Some tasks have run: their order, and what it did to memory.
struct State {
  std::vector<size_t> order;
  Memory memory;
  int64_t total = 0;  // of alive() over all steps: among equal peaks the emptier memory is easier to place
  [[nodiscard]] bool better_than(const State& other) const {
    if (memory.highest() != other.memory.highest()) return memory.highest() < other.memory.highest();
    if (total != other.total) return total < other.total;
    return order < other.order;
  }
};

using Done = std::vector<bool>;  // which tasks have run
using Layer = std::unordered_map<Done, State>;

std::vector<std::vector<size_t>> predecessors(const OrderProblem& problem) {
  constexpr size_t nobody = static_cast<size_t>(-1);
  std::vector<size_t> writer(problem.value_bytes.size(), nobody);
  std::vector<std::vector<size_t>> before(problem.tasks.size());
  for (size_t task = 0; task < problem.tasks.size(); ++task) {
    for (const size_t value : problem.tasks[task].reads) {
      if (writer[value] != nobody) before[task].push_back(writer[value]);
    }
    for (const size_t value : problem.tasks[task].writes) writer[value] = task;
  }
  for (const auto& [first, second] : problem.fixed) before[second].push_back(first);
  return before;
}

void drop_worst(Layer& layer) {
  if (layer.size() <= kept_states) return;
  std::vector<Layer::iterator> ranked;
  for (auto it = layer.begin(); it != layer.end(); ++it) ranked.push_back(it);
  std::sort(ranked.begin(), ranked.end(), [](auto a, auto b) { return a->second.better_than(b->second); });
  for (size_t i = kept_states; i < ranked.size(); ++i) layer.erase(ranked[i]);
}

Layer next_layer(const OrderProblem& problem, const std::vector<std::vector<size_t>>& before, const Layer& layer) {
  Layer next;
  for (const auto& [done, state] : layer) {
    for (size_t task = 0; task < problem.tasks.size(); ++task) {
      const auto has_run = [&done = done](size_t other) { return done[other]; };
      if (done[task] || !std::all_of(before[task].begin(), before[task].end(), has_run)) continue;
      State reached = state;
      reached.order.push_back(task);
      reached.memory.run(problem.tasks[task]);
      reached.total += reached.memory.alive();
      Done now = done;
      now[task] = true;
      const auto [place, fresh] = next.try_emplace(std::move(now), reached);
      if (!fresh && reached.better_than(place->second)) place->second = std::move(reached);
    }
  }
  drop_worst(next);
  return next;
}

}  // namespace

int64_t peak_bytes(const OrderProblem& problem, const std::vector<size_t>& order) {
  Memory memory(problem);
  for (const size_t task : order) memory.run(problem.tasks[task]);
  return memory.highest();
}

std::vector<size_t> best_order(const OrderProblem& problem) {
  std::vector<size_t> given(problem.tasks.size());
  std::iota(given.begin(), given.end(), size_t{0});
  const std::vector<std::vector<size_t>> before = predecessors(problem);
  Layer layer;
  layer.emplace(Done(problem.tasks.size(), false), State{{}, Memory(problem), 0});
  for (size_t step = 0; step < problem.tasks.size(); ++step) layer = next_layer(problem, before, layer);
  const State& best = layer.begin()->second;
  return best.memory.highest() < peak_bytes(problem, given) ? best.order : given;
}

}  // namespace mote
