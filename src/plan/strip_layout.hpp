// SPDX-License-Identifier: Apache-2.0
// When each task of a segment computes which rows, and the windows that this asks for.
#pragma once

#include <optional>

#include "plan/row_maps.hpp"

namespace mote {

// Tasks in their order of execution, with what segments ask of them.
struct OrderedTasks {
  Core core;               // for which the tasks were lowered
  bool row_input = false;  // task 0 copies the model's input, one row a strip
  std::vector<const Task*> tasks;
  std::vector<std::optional<RowTask>> rows;  // nullopt: runs in one piece only
  std::vector<int64_t> value_bytes;          // one a value, as the following
  std::vector<int64_t> born, last;           // positions; -1: there from the start; tasks.size(): to the end
  std::vector<std::vector<size_t>> readers;  // positions, rising
};

// What of a window is known before it has a buffer.
struct LayoutWindow {
  size_t value = 0;
  size_t writer = 0;                                        // a position
  size_t last_reader = 0;                                   // a position
  std::vector<std::pair<size_t, const RowInput*>> readers;  // those that decide which rows stay
  int64_t rows = 0;                                         // the most that it holds
  bool carries = false;  // from strip to strip; else its bytes are free between its last reader and its writer
};

struct StripLayout {
  size_t first = 0, last = 0;  // positions
  int64_t strips = 0;
  std::vector<nn::RowCount> done;  // one a task
  std::vector<LayoutWindow> windows;
  std::vector<size_t> whole_outputs;  // values that leave the segment
  int64_t window_bytes = 0;           // of those that carry
  int64_t moved_bytes = 0;            // in all strips
};

// rows / 2^shift rows a strip.
struct StripHeight {
  int64_t rows = 1, shift = 0;
};

// When the tasks of a segment can do their rows at the earliest: a longer segment begins with the same.
struct EarliestRows {
  int64_t highest_source = 0;  // rows of the highest output among the tasks that read nothing of the segment
  std::vector<nn::RowCount> done;
};

// The tasks [first, last] in strips in which those that read nothing of the segment compute `height` rows of the
// highest output among them. nullopt: that cannot be. No strips: less than a row is for longer segments. `known`
// is empty, or what became of it in a call for the same first task and a lower last one.
[[nodiscard]] std::optional<StripLayout> lay_out_strips(const OrderedTasks& order, size_t first, size_t last,
                                                        const StripHeight& height, EarliestRows& known);

// As Overlap::distance, for an output of the segment and a value that dies in it.
[[nodiscard]] int64_t strip_distance(const OrderedTasks& order, const StripLayout& layout, size_t output,
                                     size_t input);

}  // namespace mote
