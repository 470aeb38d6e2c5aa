// SPDX-License-Identifier: Apache-2.0
// What operators that fuse an activation need to know about nodes of their own that apply one.
#pragma once

#include "ir/operator.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

// The activation that `next` applies and nothing else, so that whoever computes its input may do it: reals, or
// integers whose scale and zero point stay. none: `next` is something else.
[[nodiscard]] Activation clamp_of(const Operator& next);

}  // namespace mote::op
