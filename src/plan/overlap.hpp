// SPDX-License-Identifier: Apache-2.0
// How far the output of a kernel may reach into the memory of an input that dies with it.
#pragma once

#include <optional>

#include "ir/operator.hpp"

namespace mote {

// The largest distance (bytes) such that output 0 may start anywhere at or below input's start + distance, sharing
// bytes with it: no byte is then written before the kernel's last read of it. The kernel writes the output from
// its first byte to its last, in the steps of `order`, and in each step it reads what Operator::needs says of that
// step's region. nullopt: the order promises nothing, the two may not share a byte.
//
// Rests on a law of needs(): a larger region needs at least what a smaller one inside it needs.
[[nodiscard]] std::optional<int64_t> overlap_distance(const Operator& op, size_t input, Inputs in,
                                                      const Types& out, const Order& order);

}  // namespace mote
