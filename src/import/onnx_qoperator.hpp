// SPDX-License-Identifier: Apache-2.0
// Operators that carry their quantisation as inputs become the plain operator between DequantizeLinear and
// QuantizeLinear, which is their definition: from there on there is one way of quantised models.
#pragma once

#include <vector>

#include "formats/onnx_view.hpp"

namespace mote::onnx {

[[nodiscard]] std::vector<Node> expand_qoperators(std::vector<Node> nodes);

}  // namespace mote::onnx
