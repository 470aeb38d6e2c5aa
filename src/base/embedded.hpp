// SPDX-License-Identifier: Apache-2.0
// The device's sources (kernels/, firmware/) and the layouts of packages/ as they were when this program was built.
#pragma once

#include <span>
#include <string_view>

namespace mote {

struct EmbeddedFile {
  std::string_view path;  // "kernels/nn/softmax.hpp"
  std::string_view text;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files();         // sorted by path
[[nodiscard]] std::string_view embedded_file(std::string_view path);  // throws Error when there is none

}  // namespace mote
