// SPDX-License-Identifier: Apache-2.0
// What to say about operators that Mote cannot run, where more than that can be said.
#pragma once

#include <string>
#include <string_view>

namespace mote {

[[nodiscard]] std::string why_unsupported(std::string_view tflite_operator);
[[nodiscard]] std::string why_unsupported_onnx(std::string_view domain, std::string_view onnx_operator);

}  // namespace mote
