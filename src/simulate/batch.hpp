// SPDX-License-Identifier: Apache-2.0
// Many runs of one plan on the host, in several threads.
#pragma once

#include <vector>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// `count` runs: a pointer for each graph input and output, to that many tensors behind each other.
struct Batch {
  size_t count = 0;
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  bool sequence = false;  // a run goes on from the state that the one before it left; else each starts anew
  size_t threads = 1;     // at most; a sequence has one
};

// Throws the first Error of any run. Results do not depend on the number of threads.
void simulate_batch(const Graph& graph, const Plan& plan, const Batch& batch);

}  // namespace mote
