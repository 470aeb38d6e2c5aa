// SPDX-License-Identifier: Apache-2.0
// The operator that quantises, or moves from one quantisation to another: its types say which.
#pragma once

#include "ir/operator.hpp"

namespace mote {

[[nodiscard]] OperatorPtr make_quantize();

}  // namespace mote
