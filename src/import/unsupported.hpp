// SPDX-License-Identifier: Apache-2.0
// What to say about operators of TFLite that Mote cannot run, where more than that can be said.
#pragma once

#include <string>
#include <string_view>

namespace mote {

[[nodiscard]] std::string why_unsupported(std::string_view tflite_operator);

}  // namespace mote
