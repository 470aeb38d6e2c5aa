// SPDX-License-Identifier: Apache-2.0
// NAME_begin and NAME_push_row, in place of NAME_run where the application pushes the input's rows.
#pragma once

#include <string>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

[[nodiscard]] std::string push_row_declaration(const Graph& graph);
[[nodiscard]] std::string push_row_functions(const Graph& graph, const Plan& plan);

}  // namespace mote
