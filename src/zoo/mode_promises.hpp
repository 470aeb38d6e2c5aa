// SPDX-License-Identifier: Apache-2.0
// What the optimisation modes promise of each other, and the rows of a footprint book that break it.
#pragma once

#include <vector>

#include "zoo/book.hpp"
#include "zoo/table.hpp"

namespace mote {

// Of the same model on the same target: balanced reaches this share of speed mode's speed in this many times the
// code of size mode, speed mode takes this many times its code, and no mode is slower than a smaller one.
constexpr double balanced_speed = 0.85, balanced_code = 1.6, speed_code = 3.0;
// Instructions that differ by less are the compiler's accident: the same kernel's code comes out a little
// different in another program.
constexpr double equal_speed = 0.01;

struct BrokenPromise {
  std::string model, target, mode;  // the mode that breaks it
  std::string what;                 // "speed", "code" or "slower than size"
  double is = 0, limit = 0;         // of what it is measured by
};

// Judges the models of which all three modes were run.
[[nodiscard]] std::vector<BrokenPromise> broken_promises(const std::vector<BookRow>& rows);

// Without those that were broken already and are not more than 2 % further from their limits.
[[nodiscard]] std::vector<BrokenPromise> newly_broken(const std::vector<BrokenPromise>& broken,
                                                      const std::vector<BrokenPromise>& known);

// Columns: model, target, mode, what, is, limit.
[[nodiscard]] Table promises_table(const std::vector<BrokenPromise>& broken);

}  // namespace mote
