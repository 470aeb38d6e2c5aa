// SPDX-License-Identifier: Apache-2.0
// A memory plan as a picture's data: which bytes each buffer holds and when, and which bytes two of them share.
#pragma once

#include <nlohmann/json.hpp>

#include "compile/compile.hpp"

namespace mote {

// {buffers[] {name, kind, bytes, offset, first_step, last_step, writer},
//  shared[] {step, last_step, output, input, offset, bytes, distance_bytes},
//  steps[] {bytes, lower_bound_bytes},
//  segments[] as segments_json(), moves[] {step, from, to}; both only where there are any}
// Several arenas stand one behind the other; each buffer then names its `memory`.
// kind: input, output, activation, scratch or state. `writer` is the step that writes the buffer, null where none
// does. `shared` are the bytes that an output takes over from an input which dies in that step, or row by row in
// the steps up to `last_step`; output and input are indices of `buffers`, and the plan may let the output begin at
// most `distance_bytes` above the input. `steps` has one entry more than the plan has steps where outputs wait for
// the caller: bytes in use, and the least that any placement needs in that step.
[[nodiscard]] nlohmann::ordered_json arena_json(const Plan& plan);

// The steps that run in strips: first and last step, number of strips, and the windows: buffer, the step that
// writes it, how many rows of how many it keeps.
[[nodiscard]] nlohmann::ordered_json segments_json(const Plan& plan);

}  // namespace mote
