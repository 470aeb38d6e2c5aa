// SPDX-License-Identifier: Apache-2.0
// From observations to a cost table.
#pragma once

#include "observe.hpp"

namespace mote::costs {

// Least squares of the relative errors with no coefficient below zero: a kernel never gets cheaper by more work.
[[nodiscard]] StepWork fit_instructions(const std::vector<const ObservedStep*>& steps,
                                        const std::vector<double>& weights);

[[nodiscard]] CostTable fit_table(const std::string& target, const std::vector<const Observation*>& observations);

}  // namespace mote::costs
