// SPDX-License-Identifier: Apache-2.0
// The device's sources (kernels/, firmware/), boards, costs, package layouts and the report's page as they were when
// this program was built.
#pragma once

#include <span>
#include <string_view>

namespace mote {

struct EmbeddedFile {
  std::string_view path;  // "kernels/nn/softmax.hpp"; "packaged/d3-scale.min.js" of another Debian package
  std::string_view text;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files();         // each path once
[[nodiscard]] std::string_view embedded_file(std::string_view path);  // throws Error when there is none

}  // namespace mote
