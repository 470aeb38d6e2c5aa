// SPDX-License-Identifier: Apache-2.0
// Functions of two bytes as one linear sum of them, rounded down: found and proven by trying all pairs.
#pragma once

#include <functional>
#include <optional>

#include "nn/arithmetic.hpp"

namespace mote::op {

// a * real_a + b * real_b + real_offset, rounded and clamped to [low, high], is what `function` computes of bytes
// a and b, nearly.
struct LinearFunction {
  double real_a, real_b, real_offset;
  int32_t low, high;
};

// A sum that equals `function` for all 65536 pairs, if there is one.
[[nodiscard]] std::optional<nn::LinearSum> linear_sum(const LinearFunction& shape,
                                                      const std::function<int32_t(int32_t, int32_t)>& function);

}  // namespace mote::op
