// SPDX-License-Identifier: Apache-2.0
// What would make a model fit a board: another plan, another memory, narrower numbers; each with its figures.
#pragma once

#include <string>
#include <vector>

#include "fit/core_plans.hpp"

namespace mote {

// Another way to have the model.
struct Alternative {
  std::string what;   // "int8"
  std::string price;  // what it takes to get there: "quantise the model"
  int64_t arena_bytes = 0, weight_bytes = 0, code_bytes = 0, stack_bytes = 0;
  double instructions = 0;
  Assessment result;
};

// For all boards of one target.
class WaysOut {
 public:
  // `now`: what the model asks as it is, estimated or measured. `int8`: of a float model's int8 form; nullptr:
  // there is none.
  WaysOut(CorePlans& model, CorePlans* int8, const CostTable& table, Mode mode, const Need& now);

  // Those that bring the board nearer to fitting, the cheapest to get first, none beyond one that fits.
  [[nodiscard]] std::vector<Alternative> for_board(const Board& board, const Assessment& now) const;

 private:
  struct Way {
    std::string what, price;
    std::vector<std::string> goes_beyond;  // cheaper ways that this one contains
    Need need;                             // with the tensors whole
    CorePlans* in_rows = nullptr;          // whose plans are to be taken instead
    bool optional_memory = false;
  };

  void add(Way way, bool whole_too);
  // The board's memories with the tensors whole; those that ask the same are worked out once.
  using Layouts = std::map<std::pair<const Plan*, bool>, Assessment>;
  [[nodiscard]] Assessment whole(const Way& way, const Board& board, Layouts& known) const;
  [[nodiscard]] Alternative in_rows(const Way& way, const Board& board) const;
  [[nodiscard]] std::optional<Alternative> take(const Way& way, const Board& board, Layouts& known) const;

  const CostTable& table_;
  Mode mode_;
  std::vector<Way> ways_;
};

}  // namespace mote
