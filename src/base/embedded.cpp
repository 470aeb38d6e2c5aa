// SPDX-License-Identifier: Apache-2.0
#include "base/embedded.hpp"

#include "base/error.hpp"

namespace mote {

std::string_view embedded_file(std::string_view path) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path == path) return file.text;
  }
  fail("internal: no file '{}' was built into this program", path);
}

}  // namespace mote
