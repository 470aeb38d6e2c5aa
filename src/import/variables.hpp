// SPDX-License-Identifier: Apache-2.0
// Resource variables of a .tflite file (VAR_HANDLE and its kin) become states.
#pragma once

#include "formats/tflite_view.hpp"

namespace mote {

// Each variable becomes one state tensor, which READ_VARIABLE and ASSIGN_VARIABLE take as input 0; its first
// content is what CALL_ONCE assigns, else that of any state. VAR_HANDLE and CALL_ONCE are done with then. What
// cannot be resolved stands in the operators' `problem`.
void resolve_variables(tflite::Model& model);

}  // namespace mote
