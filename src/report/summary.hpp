// SPDX-License-Identifier: Apache-2.0
// A planned model as text: its layers, quantisation, multiplications and memory over time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "compile/compile.hpp"

namespace mote {

// What `mote inspect` prints: a line for the model, its inputs and outputs, its notes, and two for each step.
// `model` is the file's name without folders.
[[nodiscard]] std::string summary_text(const Compiled& compiled, const std::string& model);

// What the importer decided and the user should know, a line each; which layers are computed twice; where the
// arenas belong, if anywhere.
[[nodiscard]] std::string notes_text(const Compiled& compiled);

// Layers that are computed twice: {layers[], macs}, the second time's; empty: none.
[[nodiscard]] nlohmann::ordered_json twice_json(const Graph& graph);

// Of the arena while step `index` runs: up to the end of the highest buffer that is alive.
[[nodiscard]] int64_t alive_bytes(const Plan& plan, size_t index);

// Flash that the step's constants take.
[[nodiscard]] int64_t constant_bytes(const Step& step);

}  // namespace mote
