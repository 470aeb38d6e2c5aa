// SPDX-License-Identifier: Apache-2.0
// Everything that the page of `mote report` shows, as one JSON object: report.json with what a picture needs.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "measure/measure.hpp"

namespace mote {

// The last bytes of a task's stack, which nobody may use: ESP-IDF watches 32 aligned bytes at its end, which takes
// up to 60 (CONFIG_FREERTOS_WATCHPOINT_END_OF_STACK).
constexpr int64_t stack_guard_bytes = 60;

// A list of tensors as detailed_report() has them.
[[nodiscard]] nlohmann::ordered_json tensors_json(const Graph& graph, const std::vector<TensorId>& ids);

// The keys of report(), with more in each layer, and beside them:
//   version, target_note, table_bytes, common_code_bytes (code that belongs to no single layer)
//   inputs[], outputs[]  tensors
//   layers[]             {name, op, parameters, kernel, macs, instructions, weight_bytes, table_bytes, code_bytes,
//                        shared_kernel, stack_bytes, inputs[], constants[], outputs[]}; flash that layers share
//                        counts for the first of them
//   arena                arena_json()
//   stack                {peak_bytes, bound_bytes, guard_bytes, size_bytes, free_bytes}; null: not measured
// A tensor is {name, dtype, shape, bytes, quantisation}; quantisation is null, {scale, zero_point}, or
// {channels, least_scale, largest_scale}. What was not measured is null. `stack_size_bytes` is that of the task
// which runs the model; absent: the least multiple of 256 that holds bound and guard.
// Text that is no valid UTF-8 is repaired.
[[nodiscard]] nlohmann::ordered_json detailed_report(const Compiled& compiled, const std::string& model,
                                                     const Target& target, Mode mode, const Measurement* measured,
                                                     std::optional<int64_t> stack_size_bytes);

}  // namespace mote
