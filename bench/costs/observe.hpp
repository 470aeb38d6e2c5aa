// SPDX-License-Identifier: Apache-2.0
// Exact figures of one model on one target, by the step, as the cost fit wants them.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "fit/costs.hpp"
#include "target/target.hpp"

namespace mote::costs {

struct ObservedStep {
  std::string kernel;
  Variant variant = Variant::speed_own;
  StepWork work{};
  double instructions = 0, code_bytes = 0;  // code_bytes 0: merged with an equal function, or inlined
  double stack_bytes = 0;                   // of a model with this step alone
  std::set<std::string> libraries;
};

struct Observation {
  std::string model;
  bool real = false;  // a user's model, not one made for the fit
  std::vector<ObservedStep> steps;
  std::map<std::string, double> shared_bytes;   // by cost_name
  std::map<std::string, double> library_bytes;  // by member
  double instructions = 0, code_bytes = 0, table_bytes = 0, run_bytes = 0, stack_bytes = 0;
};

struct Way {
  Mode mode = Mode::balanced;  // of the code's text
  bool for_size = false;       // of the compiler's flags
};

// `real`: sizes, stack and the run function exactly as a user gets them, which takes a second build. Results are
// kept in `cache` by what they depend on: the generated text and the target's flags. Throws Error when the model
// cannot be built or run there.
[[nodiscard]] Observation observe(const Compiled& model, const Target& target, Way way, bool real,
                                  const std::filesystem::path& cache);

}  // namespace mote::costs
