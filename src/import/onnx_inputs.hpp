// SPDX-License-Identifier: Apache-2.0
// Shapes of an ONNX model's inputs: what the file leaves open is given by the user, or is a batch of one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/onnx_view.hpp"

namespace mote::onnx {

// One shape an input, in the file's order. What was assumed goes to `notes`, what is missing to `problems`.
[[nodiscard]] std::vector<Shape> resolve_shapes(const std::vector<ValueInfo>& inputs,
                                                const std::map<std::string, Shape>& given,
                                                std::vector<std::string>& notes,
                                                std::vector<std::string>& problems);

// "input 'x' is stored 1x96x96x3 (the file has 1x3x96x96, channels first)"
[[nodiscard]] std::string layout_note(std::string_view what, std::string_view name, const Shape& shape);

// Throws Error when the file states another shape of an output than was computed.
void check_stated_shape(const ValueInfo& output, const Shape& computed);

}  // namespace mote::onnx
