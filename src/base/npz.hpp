// SPDX-License-Identifier: Apache-2.0
// Reads NumPy's .npz files: a zip archive (stored or deflated) of .npy files.
#pragma once

#include <map>
#include <string>

#include "base/npy.hpp"

namespace mote {

// By key: the names of the archive's files without ".npy". Throws Error naming `what` when the bytes are no such
// file, or when it holds more than a machine should unpack.
[[nodiscard]] std::map<std::string, NpyArray> parse_npz(ByteSpan bytes, const std::string& what);

[[nodiscard]] bool looks_like_zip(ByteSpan bytes);

}  // namespace mote
