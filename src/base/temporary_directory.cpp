// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_directory.hpp"

#include <stdlib.h>

#include "base/error.hpp"

namespace mote {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "mote-XXXXXX").string();
  require(mkdtemp(name.data()) != nullptr, "cannot make a folder in {}",
          std::filesystem::temp_directory_path().string());
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace mote
