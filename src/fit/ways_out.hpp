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
  bool by_board = false;  // what `compile --board` makes of the model as it is
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
  // What a board of too little memory changes in a plan.
  enum class Change { none, rows, twice };
  struct Way {
    std::string what, price;
    std::vector<std::string> goes_beyond;  // cheaper ways that this one contains
    Need need;                             // of the plan that is the mode's own
    CorePlans* plans = nullptr;            // those that may be changed
    Change change = Change::none;
    bool optional_memory = false;
  };

  void add(Way way, bool unchanged_too);
  void add_changed(Way way, Change change, std::string_view what);
  // The board's memories with the mode's own plan; those that ask the same are worked out once.
  using Layouts = std::map<std::pair<const Plan*, bool>, Assessment>;
  [[nodiscard]] Assessment unchanged(const Way& way, const Board& board, Layouts& known) const;
  [[nodiscard]] Need own(CorePlans& plans) const;
  [[nodiscard]] bool holds_outside(CorePlans& plans, const Board& board) const;
  [[nodiscard]] std::optional<Alternative> changed(const Way& way, const Board& board) const;
  [[nodiscard]] std::optional<Alternative> take(const Way& way, const Board& board, Layouts& known) const;

  const CostTable& table_;
  Mode mode_;
  std::vector<Way> ways_;
};

}  // namespace mote
