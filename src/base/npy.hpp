// SPDX-License-Identifier: Apache-2.0
// Reads NumPy's .npy files (format versions 1 and 2, C order, little-endian).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace mote {

struct NpyArray {
  std::string descr;  // NumPy's type string without byte order: "i1", "u1", "i2", "i4", "i8", "f4", "b1", ...
  std::vector<int64_t> shape;
  Bytes data;
};

// Throws Error naming `what` when the bytes are no such file.
[[nodiscard]] NpyArray parse_npy(ByteSpan bytes, const std::string& what);

}  // namespace mote
