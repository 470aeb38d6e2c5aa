// SPDX-License-Identifier: Apache-2.0
// A model laid out for given memories: one arena where it fits one of them, several where it does not.
#pragma once

#include <optional>
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

// The same for a board's memories, less what the board file reserves and the stack in the one where these live,
// with kernels of `core`. Mode::size asks for the least arena. Otherwise tensors are whole; where no internal
// memory holds them, they are spread over several; where that is not enough, they lie in row strips in one; only
// then memories count that some variants of the board have, and last, layers are computed twice. `stack_bytes`:
// exact; absent: estimated. Returns what stands where.
Assessment use_board(Compiled& model, const Board& board, const Core& core, Mode mode,
                     std::optional<int64_t> stack_bytes = {}, int cores = 1);

}  // namespace mote
