// SPDX-License-Identifier: Apache-2.0
// One row of the footprint book: compiles a model for a target and measures it as far as asked.
#pragma once

#include <filesystem>

#include "codegen/codegen.hpp"
#include "target/target.hpp"
#include "zoo/book.hpp"

namespace mote {

// `row` says what identifies it and its detail; the figures are added. A failure becomes its `error`, beside the
// figures known until then. The inputs of a run are random, always the same.
[[nodiscard]] BookRow measure_row(const std::filesystem::path& model, const Target& target, Mode mode,
                                  BookRow row);

}  // namespace mote
