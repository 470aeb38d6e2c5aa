// SPDX-License-Identifier: Apache-2.0
// A global mean in two parts: operators of no file, which the planner puts in its place.
#pragma once

#include "ir/rows.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

// Sums over dimensions 1 to `first_kept` - 1, to which rows are added as they come; and `finish`, which makes the
// output of them. nullopt: the input has no rows.
[[nodiscard]] std::optional<FoldsRows::Parts> in_sums(const TensorType& in, size_t first_kept,
                                                      const OperatorPtr& finish);

// sum -> (sum - offset) * multiplier + zero, within the range.
[[nodiscard]] OperatorPtr make_rescaled_sums(int32_t offset, const FixedMultiplier& fixed, int32_t zero,
                                             const IntegerRange& range);

// sum -> sum / count, integers rounded half away from zero.
[[nodiscard]] OperatorPtr make_average_of_sums(int64_t count, Activation activation);

}  // namespace mote::op
