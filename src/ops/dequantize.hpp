// SPDX-License-Identifier: Apache-2.0
// The operator that gives the real numbers that integers stand for.
#pragma once

#include "ir/operator.hpp"

namespace mote {

[[nodiscard]] OperatorPtr make_dequantize();

}  // namespace mote
