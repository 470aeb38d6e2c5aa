// SPDX-License-Identifier: Apache-2.0
// Every operator the compiler knows: one entry for each file in src/ops, sorted by name (the build writes that
// table), then those that were loaded into the process.
#pragma once

#include <span>

#include "ir/operator.hpp"

namespace mote::op {

[[nodiscard]] std::span<const OpDef* const> built_in();
[[nodiscard]] std::span<const OpDef* const> all();

// From now on `definition` is one of all(). The operators of a process are what is linked into it; this is the
// same for what is linked later (src/extend). Not for use while another thread imports. Throws Error when one of
// its names is taken.
void add_operator(const OpDef& definition);

}  // namespace mote::op
