// SPDX-License-Identifier: Apache-2.0
// SHA-256 in hexadecimal, as sha256sum prints it: names a model's content and the program that compiled it.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace mote {

[[nodiscard]] std::string sha256(ByteSpan bytes);

// "0.1.0 (build 1a2b3c4d5e6f)": the version and the start of the running program's own hash, so that figures of
// two builds are never taken for each other.
[[nodiscard]] std::string mote_build();

}  // namespace mote
