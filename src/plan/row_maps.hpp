// SPDX-License-Identifier: Apache-2.0
// Which rows of its inputs a node reads for its rows, as closed forms.
#pragma once

#include <optional>

#include "ir/rows.hpp"
#include "nn/strip.hpp"
#include "plan/tasks.hpp"

namespace mote {

struct RowInput {
  size_t input = 0;  // of the node
  size_t value = 0;  // whose bytes it is
  int64_t rows = 0, row_bytes = 0;
  bool whole = false;                // every strip reads all of it
  nn::RowCount low = {}, high = {};  // rows [begin, end) read rows [low.at(begin), high.at(end))
};

// A node that can run in strips.
struct RowTask {
  int64_t rows = 0, row_bytes = 0;  // of its output; if it folds, the input's rows, of 0 bytes
  bool folds = false;               // WorksInRows::folds()
  std::vector<RowInput> inputs;     // all but constants
};

// nullopt: it cannot, or the rows it reads follow no closed form.
[[nodiscard]] std::optional<RowTask> find_rows(const Graph& graph, const Values& values, const Task& task);

// The strip of rows [begin, end) of the task's output: of inputs that are no RowInput, all they have.
[[nodiscard]] RowStrip strip_of(const RowTask& rows, Inputs in, int64_t begin, int64_t end);

}  // namespace mote
