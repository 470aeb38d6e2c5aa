// SPDX-License-Identifier: Apache-2.0
// Numbers and shares as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace mote {

[[nodiscard]] std::string thousands(int64_t value);            // "1,076,384"
[[nodiscard]] std::string bar(double fraction, size_t width);  // a bar of block characters

}  // namespace mote
