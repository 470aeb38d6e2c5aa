// SPDX-License-Identifier: Apache-2.0
// Layers with integer weights whose sums are scaled by an integer and shifted, rounding down: no file format has
// them, a model that is built by hand does (import/sequential.hpp).
#pragma once

#include "ops/convolution.hpp"

namespace mote {

// y = clamp(floor(sum * multiplier / 2^shift) + bias): integers; scales and zero points play no part.
struct ShiftedScaling {
  int32_t multiplier = 1, shift = 0;
  bool saturates_first = false;  // the scaled sum is clamped to int8 before the bias is added
  bool relu = false;             // outputs below 0 are 0
};

// Inputs: int8 activations [batch][height][width][channels], constant int8 weights
// [out][height][width][channels / groups], constant int32 bias [out]. Or activations [rows][depth] and weights
// [out][depth], with the default window. Throws Error where a sum could leave 32 bits.
[[nodiscard]] OperatorPtr make_shifted_sum(const SlidingWindow& window, const ShiftedScaling& scaling);

// The same layer with a ReLU behind it; nullptr where `op` is no shifted sum.
[[nodiscard]] OperatorPtr with_relu(const Operator& op);

// floor(127 e / sum(e)), e = max(128 + 2 (x - largest), 0), over the last dimension of int8.
[[nodiscard]] OperatorPtr make_linear_softmax();

}  // namespace mote
