// SPDX-License-Identifier: Apache-2.0
// A model's needs against one board's memories.
#pragma once

#include <string>
#include <vector>

#include "fit/board.hpp"
#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// What a compiled model asks of a board. `plan` must outlive it.
struct Need {
  const Plan* plan = nullptr;
  std::vector<double> accesses;  // bytes read and written in a run, one number a buffer of the plan
  int64_t weight_bytes = 0, code_bytes = 0, stack_bytes = 0;
  double instructions = 0;
  double code_error = 0;  // by which fraction code_bytes may be off; 0: exact
};

// Bytes that a run reads and writes in each buffer of the plan. A layer with weights reads each input as often as
// it gathers patches of it, its scratch memory half as often as it multiplies (each value serves two channels),
// and without scratch memory its input with every multiplication.
[[nodiscard]] std::vector<double> accesses_of(const Graph& graph, const Plan& plan);

enum class Verdict { fits, tight, does_not_fit };
[[nodiscard]] std::string_view name(Verdict verdict);  // "fits", "tight", "does not fit"

struct RamUse {
  std::string memory;
  int64_t capacity_bytes = 0, arena_bytes = 0, stack_bytes = 0, reserved_bytes = 0;
  std::vector<size_t> buffers;  // of the plan that live here, when the arena is split

  [[nodiscard]] int64_t used_bytes() const { return arena_bytes + stack_bytes + reserved_bytes; }
};

struct Assessment {
  Verdict verdict = Verdict::does_not_fit;
  int64_t flash_bytes = 0, flash_capacity_bytes = 0;  // with what the board file reserves
  std::vector<RamUse> ram;                            // every internal memory, and external ones that are used
  bool split = false;                                 // the arena is spread over several memories
  int64_t ram_missing_bytes = 0, flash_missing_bytes = 0;  // 0 where it fits
  bool ram_tight = false;                                  // though nothing is missing
  double external_bytes = 0;                               // read and written there in a run
  double milliseconds = 0;
};

// `optional_memory`: count memories that only some variants of the board have. A plan with segments or moves has
// one arena and is not spread.
[[nodiscard]] Assessment assess(const Board& board, const Need& need, bool optional_memory);

// The same memories, with the flash of another need whose plan, stack and instructions are the same.
[[nodiscard]] Assessment with_flash_of(Assessment result, const Board& board, const Need& need);

// The most bytes that one arena can have in an internal memory, beside what the board file reserves and a stack of
// this size; 0: none.
[[nodiscard]] int64_t arena_room(const Board& board, int64_t stack_bytes);

}  // namespace mote
