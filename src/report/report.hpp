// SPDX-License-Identifier: Apache-2.0
// What is known about a compiled model, as the JSON object that report.json, `run --json` and `verify --json`
// share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/output_directory.hpp"
#include "measure/measure.hpp"
#include "passes/trainable_head.hpp"

namespace mote {

// Keys: model, target, compiler (null for the host), mode, macs, instructions, instructions_per_mac, arena_bytes,
// arena_lower_bound_bytes, stack_peak_bytes, stack_total_bytes, stack_bound_bytes, code_bytes, weight_bytes,
// arenas[] {memory, bytes} where the model was laid out for given memories,
// shared_code[] {name, code_bytes, layers[]: indices}, other_code_bytes: with the layers' own code that is all,
// layers[] {name, op, macs, instructions, code_bytes, shared_kernel, stack_bytes}, outputs[] {name, dtype, shape,
// file}. What was not measured is null. `measured` may be nullptr; `model` is the file's name without folders.
[[nodiscard]] nlohmann::ordered_json report(const Compiled& compiled, const std::string& model,
                                            const Target& target, Mode mode, const Measurement* measured);

// The key `head` of a model with a trainable head: layer, inputs, hidden (where two layers learn), outputs,
// ram_bytes (parameter_bytes, momentum_bytes, scratch_bytes), record_bytes, flash_bytes.
[[nodiscard]] nlohmann::ordered_json head_json(const TrainableHead& head);

// Writes the files with a report.json that lists them all, as write_output_directory() does; returns that report.
nlohmann::ordered_json write_with_report(const std::string& directory, OutputFiles files,
                                         nlohmann::ordered_json report);

}  // namespace mote
