// SPDX-License-Identifier: Apache-2.0
// "Does it fit?": a model against boards, and what would make it fit where it does not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "fit/ways_out.hpp"

namespace mote {

struct BoardFit {
  Board board;
  Assessment now;
  // With the kernels of the board's core, as `compile --board` lays it out, strips and optional memories aside.
  int64_t arena_bytes = 0, weight_bytes = 0;
  std::vector<std::string> buffer_names;
  int64_t code_bytes = 0, stack_bytes = 0;
  double instructions = 0;
  bool exact = false;                // compiled and run, not estimated
  std::optional<ModeError> error;    // of the estimate, where its table states one
  std::string measured_on;           // the target whose measurements stand in for this one's; empty: its own
  std::vector<std::string> unknown;  // kernels without measurements
  std::vector<Alternative> alternatives;

  // What `compile --board` makes of a model that the board's RAM does not hold as it is; nullptr: it fits as it
  // is, or that does not make it fit.
  [[nodiscard]] const Alternative* by_board() const;
};

struct Share {
  std::string what;
  int64_t bytes = 0;
};

struct ModelFit {
  std::string name;
  Mode mode = Mode::balanced;
  int64_t macs = 0, arena_bytes = 0, arena_lower_bound_bytes = 0, weight_bytes = 0;
  std::string peak_layer;              // in which most bytes are alive
  std::vector<Share> peak_buffers;     // alive there, largest first
  std::vector<Share> largest_weights;  // layers, largest first
  bool is_float = false;
  std::optional<Share> int8_arena, int8_weights;  // predicted, for a float model
  std::string int8_obstacle;
  int64_t four_bit_weight_bytes = 0, ternary_weight_bytes = 0;  // of the int8 form, on cores that keep them so
  std::optional<int64_t> ram_bytes;                             // of every board, at most: arena and stack
  std::vector<BoardFit> boards;
};

// "fits", "tight", "does not fit", or the first two with what makes `compile` do it: "fits with --board".
[[nodiscard]] std::string answer(const ModelFit& model, const BoardFit& fit);

// The flag of `compile` that asks for a board's plan: "--board", or "--ram" where that limits the boards.
[[nodiscard]] std::string_view plan_flag(const ModelFit& model);

struct ExactCost {
  int64_t code_bytes = 0, stack_bytes = 0;
  double instructions = 0;
};

// Compiles for a target and runs there. Absent results leave the estimate in place.
using Measure = std::function<std::optional<ExactCost>(const Compiled& model, const Target& target)>;

// Estimates once for each target of the boards, or measures when `measure` is given. `ram_bytes`: arena and stack
// may take as much of each board's internal RAM, in one memory, and nothing outside.
[[nodiscard]] ModelFit fit_boards(const Compiled& model, const std::vector<Board>& boards, Mode mode,
                                  const Measure& measure = {}, std::optional<int64_t> ram_bytes = {});

[[nodiscard]] nlohmann::ordered_json fit_json(const ModelFit& fit);

}  // namespace mote
