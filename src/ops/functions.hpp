// SPDX-License-Identifier: Apache-2.0
// Element-wise functions that no .tflite operator names: what the ONNX importer says to make one.
#pragma once

#include "ir/operator.hpp"

namespace mote {

// "erf", "atan", "asin", "acos", "asinh", "acosh", "atanh", of float32.
[[nodiscard]] OperatorPtr make_function(std::string_view name);

// Any function of int8: `table` has its value of -128 first. Input and output have one scale each.
[[nodiscard]] OperatorPtr make_byte_table(std::vector<int8_t> table);

}  // namespace mote
