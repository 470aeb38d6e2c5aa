// SPDX-License-Identifier: Apache-2.0
// The scale of a set of weights that share one.
#pragma once

#include <span>

#include "quantize/options.hpp"

namespace mote {

[[nodiscard]] int largest_integer(WeightKind kind);  // 127, 7 or 1; the smallest is its negative

// The integer of `weight`: nearest, within the kind's.
[[nodiscard]] int integer_weight(double weight, double scale, WeightKind kind);

// bytes: the largest weight over 127. nibbles: of 100 scales up to the largest weight over 7 the one with the
// least mean square of differences. ternary: the least mean square there is; for the k largest weights as +-1 it
// is their mean, and the best k maximises (their sum)^2 / k. `power_of_two`: of the two powers next to it the one
// with the smaller mean square. 0 where all weights are 0.
[[nodiscard]] double weight_scale(std::span<const double> weights, WeightKind kind, bool power_of_two);

}  // namespace mote
