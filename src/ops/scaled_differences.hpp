// SPDX-License-Identifier: Apache-2.0
// How the 8-bit softmax operators turn a difference of two inputs into the argument of the exponential, Q5.26.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

struct ScaledDifferences {
  FixedMultiplier fixed;  // its shift is not negative
  int32_t lowest = 0;     // beyond this the scaled difference would leave Q5.26
};

// `scale`: of one step of the input, times beta.
[[nodiscard]] inline ScaledDifferences scaled_differences(double scale) {
  const double real = scale * std::exp2(26);
  const FixedMultiplier fixed = quantize_multiplier(std::min(real, 2147483647.0));
  require(fixed.shift >= 0, "has beta * input scale of {}, which is too small; scale the logits up", real);
  return {fixed, -static_cast<int32_t>(std::floor(31.0 * std::exp2(26 - fixed.shift)))};
}

}  // namespace mote::op
