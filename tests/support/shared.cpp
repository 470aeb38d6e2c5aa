// SPDX-License-Identifier: Apache-2.0
#include "support/shared.hpp"

#include <cstdlib>

namespace mote::test {

std::filesystem::path shared_directory() {
  const char* const other = std::getenv("MOTE_SHARED");
  return other != nullptr ? std::filesystem::path(other) : std::filesystem::path(MOTE_SHARED_DIR);
}

}  // namespace mote::test
