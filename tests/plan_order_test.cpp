// SPDX-License-Identifier: Apache-2.0
// The order of execution against all orders that are possible.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "plan/order.hpp"

namespace mote {
namespace {

bool can_run(const OrderProblem& problem, const std::vector<size_t>& order) {
  std::vector<bool> there = problem.from_start;
  for (const size_t task : order) {
    for (const size_t value : problem.tasks[task].reads) {
      if (!there[value]) return false;
    }
    for (const size_t value : problem.tasks[task].writes) there[value] = true;
  }
  return true;
}

// Spelled out: a value is there from its task (or the start) to its last reader (or the end).
int64_t slow_peak(const OrderProblem& problem, const std::vector<size_t>& order) {
  int64_t peak = 0;
  for (size_t step = 0; step < order.size(); ++step) {
    const OrderTask& now = problem.tasks[order[step]];
    int64_t alive = now.scratch_bytes;
    for (size_t value = 0; value < problem.value_bytes.size(); ++value) {
      size_t first = problem.from_start[value] ? 0 : order.size(), last = 0;
      bool unread = true;
      for (size_t i = 0; i < order.size(); ++i) {
        const OrderTask& task = problem.tasks[order[i]];
        if (std::count(task.writes.begin(), task.writes.end(), value) > 0) first = i, last = std::max(last, i);
        if (std::count(task.reads.begin(), task.reads.end(), value) > 0) last = i, unread = false;
      }
      if (problem.to_end[value] || (unread && problem.from_start[value])) last = order.size();
      if (first <= step && step <= last) alive += problem.value_bytes[value];
      const auto read = std::find(now.reads.begin(), now.reads.end(), value);
      if (last == step && read != now.reads.end())
        alive -= now.saves[static_cast<size_t>(read - now.reads.begin())];
    }
    peak = std::max(peak, alive);
  }
  return peak;
}

// Value i + 1 is written by task i; value 0 is the input.
OrderProblem random_problem(std::mt19937& random, size_t tasks) {
  OrderProblem problem;
  for (size_t value = 0; value <= tasks; ++value) problem.value_bytes.push_back(1 + random() % 20);
  problem.from_start.assign(tasks + 1, false);
  problem.from_start[0] = true;
  problem.to_end.assign(tasks + 1, false);
  problem.to_end[tasks] = problem.to_end[random() % tasks] = true;
  for (size_t task = 0; task < tasks; ++task) {
    OrderTask entry{{random() % (task + 1)}, {task + 1}, {}, static_cast<int64_t>(random() % 4)};
    const size_t other = random() % (task + 1);
    if (other != entry.reads[0]) entry.reads.push_back(other);
    const int64_t written = problem.value_bytes[task + 1];
    for (const size_t value : entry.reads) {
      entry.saves.push_back(static_cast<int64_t>(random() % 3) * std::min(written, problem.value_bytes[value]) /
                            4);
    }
    problem.tasks.push_back(std::move(entry));
  }
  return problem;
}

TEST(Order, HasTheLowestPeakOfAllOrders) {
  std::mt19937 random(1);
  int improved = 0;
  for (int i = 0; i < 150; ++i) {
    const OrderProblem problem = random_problem(random, 2 + random() % 6);
    std::vector<size_t> order(problem.tasks.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const int64_t given = slow_peak(problem, order);
    int64_t least = given;
    do {
      if (can_run(problem, order)) least = std::min(least, slow_peak(problem, order));
    } while (std::next_permutation(order.begin(), order.end()));
    const std::vector<size_t> found = best_order(problem);
    ASSERT_TRUE(can_run(problem, found)) << i;
    EXPECT_EQ(slow_peak(problem, found), least) << i;
    EXPECT_EQ(peak_bytes(problem, found), least) << i;
    EXPECT_EQ(found, best_order(problem)) << i;
    improved += least < given ? 1 : 0;
  }
  EXPECT_GT(improved, 20);
}

// Two branches, each large in the middle and small at its end: one after the other is better than side by side.
TEST(Order, FinishesABranchBeforeItStartsTheNext) {
  OrderProblem problem{
      {10, 100, 100, 5, 5, 10},
      {true, false, false, false, false, false},
      {false, false, false, false, false, true},
      {{{0}, {1}, {0}, 0}, {{0}, {2}, {0}, 0}, {{1}, {3}, {0}, 0}, {{2}, {4}, {0}, 0}, {{3, 4}, {5}, {0, 0}, 0}},
      {}};
  EXPECT_EQ(peak_bytes(problem, {0, 1, 2, 3, 4}), 10 + 100 + 100);
  EXPECT_EQ(best_order(problem), (std::vector<size_t>{0, 2, 1, 3, 4}));
  EXPECT_EQ(peak_bytes(problem, {0, 2, 1, 3, 4}), 10 + 100 + 5);
  problem.fixed = {{0, 3}, {1, 2}};
  EXPECT_EQ(best_order(problem), (std::vector<size_t>{0, 1, 2, 3, 4})) << "the better order is forbidden";
}

TEST(Order, KeepsTheGivenOneWhenNoneIsBetter) {
  OrderProblem problem{{8, 8, 8, 8},
                       {true, false, false, false},
                       {false, true, true, true},
                       {{{0}, {1}, {0}, 0}, {{0}, {2}, {0}, 0}, {{0}, {3}, {0}, 0}},
                       {}};
  EXPECT_EQ(best_order(problem), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(best_order({}), std::vector<size_t>{});
}

// 24 independent branches: 2^24 sets of tasks, far more than the search keeps.
TEST(Order, WideGraphsTakeBoundedTime) {
  std::mt19937 random(2);
  OrderProblem problem;
  problem.value_bytes = {4};
  problem.from_start = {true};
  problem.to_end = {false};
  OrderTask join;
  for (size_t branch = 0; branch < 24; ++branch) {
    for (const int64_t bytes : {int64_t{100}, static_cast<int64_t>(1 + random() % 8)}) {
      const size_t value = problem.value_bytes.size();
      problem.tasks.push_back({{bytes == 100 ? 0 : value - 1}, {value}, {0}, 0});
      problem.value_bytes.push_back(bytes);
      problem.from_start.push_back(false);
      problem.to_end.push_back(false);
    }
    join.reads.push_back(problem.value_bytes.size() - 1);
    join.saves.push_back(0);
  }
  std::stable_partition(problem.tasks.begin(), problem.tasks.end(),
                        [](const OrderTask& task) { return task.reads[0] == 0; });
  join.writes = {problem.value_bytes.size()};
  problem.value_bytes.push_back(1);
  problem.from_start.push_back(false);
  problem.to_end.push_back(true);
  problem.tasks.push_back(join);
  const std::vector<size_t> order = best_order(problem);
  ASSERT_TRUE(can_run(problem, order));
  EXPECT_LE(slow_peak(problem, order), 4 + 100 + 24 * 8);
}

}  // namespace
}  // namespace mote
