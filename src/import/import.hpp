// SPDX-License-Identifier: Apache-2.0
// A model file of any known format becomes a Graph.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "ir/graph.hpp"

namespace mote {

struct ImportOptions {
  std::map<std::string, Shape> shapes;  // of inputs, where the file leaves them open; in the file's order (NCHW)
  std::filesystem::path path;           // of the model; empty: not from a file, so there is no external data
};

// Tells the format by the bytes; where they say nothing, by the path's extension.
[[nodiscard]] Graph import_model(ByteSpan bytes, std::string_view name, const ImportOptions& options = {});

// "input=1,3,96,96" for ImportOptions::shapes. Throws Error when it is anything else.
[[nodiscard]] std::pair<std::string, Shape> parse_shape(std::string_view text);

}  // namespace mote
