// SPDX-License-Identifier: Apache-2.0
// The device's sources (kernels/, firmware/), boards, costs, package layouts, the report's page and the headers
// that operators are written with (src/, generated/), as they were when this program was built.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mote {

struct EmbeddedFile {
  std::string_view path;  // "kernels/nn/softmax.hpp"; "packaged/d3-scale.min.js" of another Debian package
  std::string_view text;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files();         // each path once
[[nodiscard]] std::string_view embedded_file(std::string_view path);  // throws Error when there is none

// From now on embedded_file(path) gives `text`: for the kernels of operators that are loaded into the process.
// Throws Error when there is such a file with another text.
void add_embedded_file(const std::string& path, const std::string& text);

}  // namespace mote
