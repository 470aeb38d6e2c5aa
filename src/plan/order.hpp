// SPDX-License-Identifier: Apache-2.0
// The order of execution that keeps the fewest bytes alive. Knows tasks and values, no graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mote {

struct OrderTask {
  std::vector<size_t> reads, writes;  // values; none twice
  std::vector<int64_t> saves;         // one a read: bytes that the output can share with it if it dies here
  int64_t scratch_bytes = 0;
};

struct OrderProblem {
  std::vector<int64_t> value_bytes;
  std::vector<bool> from_start, to_end;          // one a value: a model input; a model output
  std::vector<OrderTask> tasks;                  // in an order in which they can run
  std::vector<std::pair<size_t, size_t>> fixed;  // tasks of which the first must run before the second
};

// The largest number of bytes alive at once when the tasks run in this order.
[[nodiscard]] int64_t peak_bytes(const OrderProblem& problem, const std::vector<size_t>& order);

// The tasks in an order of lowest peak; the given order is kept when none is better. Exact as long as no more than
// 256 sets of tasks are possible at any point of time, which holds for the graphs of real models; a search that
// keeps the best 256 beyond that. Deterministic.
[[nodiscard]] std::vector<size_t> best_order(const OrderProblem& problem);

}  // namespace mote
