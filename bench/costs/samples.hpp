// SPDX-License-Identifier: Apache-2.0
// Models that exercise every kernel, made from the operators' own random samples.
#pragma once

#include <string>
#include <vector>

#include "compile/compile.hpp"

namespace mote::costs {

// Every layer of these graphs is alone: it reads the graph's inputs and writes its outputs. Several layers lower
// to the same kernel on `core`, so that it can be shared. One kernel stands for all with its cost_name.
// Deterministic.
[[nodiscard]] std::vector<Graph> kernel_graphs(const Core& core);

// One of these graphs as one graph a kernel, for the case that a single kernel is the obstacle to all.
[[nodiscard]] std::vector<Graph> kernels_apart(const Compiled& model);

}  // namespace mote::costs
