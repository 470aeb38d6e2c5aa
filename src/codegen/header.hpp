// SPDX-License-Identifier: Apache-2.0
// The generated C header: sizes, quantisation and access to inputs and outputs.
#pragma once

#include <string>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

[[nodiscard]] std::string header_file(const Graph& graph, const Plan& plan);

}  // namespace mote
