// SPDX-License-Identifier: Apache-2.0
// The generated C header: sizes, quantisation and access to inputs and outputs.
#pragma once

#include <string>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// Names from a model as text that may stand in a comment of either kind, the same on every host.
[[nodiscard]] std::string comment_text(std::string text);

[[nodiscard]] std::string header_file(const Graph& graph, const Plan& plan);

}  // namespace mote
