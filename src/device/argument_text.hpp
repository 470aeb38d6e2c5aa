// SPDX-License-Identifier: Apache-2.0
// Arguments and results of functions as people write and read them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "device/frame.hpp"

namespace mote {

// A number: "7", "-0x10", "2.5e-3", "true". An array: "1,2,3" or "[1, 2, 3]", "@values.npy" (NumPy's file, of the
// same element type), "@values.bin" (its bytes), "text:hello" (of elements of one byte, with a zero at the end),
// "null". An output: its length, or "-" for the one that the source declares. Throws Error that names the
// parameter.
[[nodiscard]] CallArgument parse_argument(const FunctionSignature& signature, size_t parameter,
                                          const std::string& text);

// One text a parameter. Throws Error that shows the signature when the number differs.
[[nodiscard]] std::vector<CallArgument> parse_arguments(const FunctionSignature& signature,
                                                        const std::vector<std::string>& texts);

// {"result": 3, "arrays": {"y": [1, 2]}}; numbers that JSON does not have (NaN) are strings.
[[nodiscard]] nlohmann::ordered_json to_json(const Returned& returned);
// A line for the result and for each array, long ones shortened.
[[nodiscard]] std::string to_text(const FunctionSignature& signature, const Returned& returned);

}  // namespace mote
