// SPDX-License-Identifier: Apache-2.0
// A model laid out for given memories: one arena where it fits one of them, several where it does not.
#pragma once

#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "fit/assess.hpp"
#include "plan/regions.hpp"

namespace mote {

// "fast=200000", "psram=8M": a memory on the command line; K and M are 1024 and 1024 x 1024. Throws Error.
[[nodiscard]] MemoryRegion parse_memory(const std::string& text);

// Lays the model out over these memories, the fastest first. Throws Error that says what the model needs when they
// cannot hold it.
void use_memories(Compiled& model, const std::vector<MemoryRegion>& memories);

// The same for a board's memories, less what the board file reserves and an estimate of the stack in the one where
// these live. Memories that only some variants of the board have are used when it does not fit without them.
// Returns what stands where.
Assessment use_board(Compiled& model, const Board& board, const Need& need);

}  // namespace mote
