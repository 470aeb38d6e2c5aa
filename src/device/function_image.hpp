// SPDX-License-Identifier: Apache-2.0
// A C or C++ function as objects that can be linked for a device.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "device/object_cache.hpp"
#include "device/signature.hpp"

namespace mote {

struct FunctionObject {
  std::filesystem::path object;
  std::filesystem::path frames;  // gcc's -fcallgraph-info=su, for read_callgraph_info()
  bool cached = false;           // the compiler was not asked for it
};

// To be linked with `entry` as the one symbol that is needed, and `start`, which runs static constructors and
// takes the same argument. The linker script defines __init_array_start and __init_array_end around .init_array*.
struct FunctionImage {
  FunctionSignature signature;
  std::vector<FunctionObject> objects;
  std::string entry = "mote_entry", start = "mote_start";
};

// Writes into `directory`, whose files live as long as the caller needs them; the sources are only read. Throws
// Error as read_signature(), and with the compiler's words when it fails.
[[nodiscard]] FunctionImage build_function(const FunctionRequest& request, const Target& target,
                                           const std::filesystem::path& directory, const ObjectCache& cache);

// The name that an image of the function goes by where none is given: "fir" of "dsp::fir".
[[nodiscard]] std::string image_name(const FunctionSignature& signature);

}  // namespace mote
