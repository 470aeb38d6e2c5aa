// SPDX-License-Identifier: Apache-2.0
// Names that generated code may use.
#pragma once

#include <string>
#include <string_view>

namespace mote {

// A name that is an identifier in C and in C++, reserved in neither, and no standard header's name ("NAME.h" is
// written for it): "2-conv net" -> "model_2_conv_net", "double" -> "double_model", "" -> "model".
[[nodiscard]] std::string to_identifier(std::string_view text);

}  // namespace mote
