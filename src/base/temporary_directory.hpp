// SPDX-License-Identifier: Apache-2.0
// A folder of its own under the system's place for temporary files.
#pragma once

#include <filesystem>

namespace mote {

// Removed with all it holds when the value dies.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace mote
