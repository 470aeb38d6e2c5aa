// SPDX-License-Identifier: Apache-2.0
// What row strips cost: models measured with their tensors whole and in strips.
#pragma once

#include "observe.hpp"

namespace mote::costs {

// One model in one way of compiling.
struct StripPair {
  std::string model;
  bool for_size = false;
  struct Step {
    StripWork work{};
    double whole_instructions = 0, more_instructions = 0;
  };
  std::vector<Step> steps;  // those in strips
  double whole_instructions = 0, whole_code_bytes = 0, more_code_bytes = 0, more_stack_bytes = 0;
};

// Throws Error as observe().
[[nodiscard]] StripPair observe_strips(const Compiled& whole, const Compiled& strips, const Target& target,
                                       bool for_size, const std::filesystem::path& cache);

// nullopt: there are none.
[[nodiscard]] std::optional<StripCost> fit_strips(const std::vector<StripPair>& pairs, bool for_size);

// How far the figures of each model in strips are off when what the strips add is estimated from the other models;
// prints a line for each, and the worst.
void report_strips(const std::string& target, const std::vector<StripPair>& pairs);

}  // namespace mote::costs
