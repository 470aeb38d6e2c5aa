// SPDX-License-Identifier: Apache-2.0
// Objects that were compiled before, by a hash of all that they were made from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace mote {

struct CompiledObject {
  Bytes object;        // ELF, relocatable
  std::string frames;  // gcc's -fcallgraph-info=su
};

// $XDG_CACHE_HOME/mote, ~/.cache/mote; none where neither variable tells.
[[nodiscard]] std::optional<std::filesystem::path> user_cache_directory();

// A folder of files, each whole and checked by a hash of its own: many processes may use it at once, and what is
// broken is as if it were not there. The least recently used files go when it grows beyond the limit.
class ObjectCache {
 public:
  static constexpr uint64_t most_bytes = uint64_t{256} << 20;

  // Without a folder, or with one that cannot be written to, nothing is kept.
  explicit ObjectCache(std::optional<std::filesystem::path> folder, uint64_t limit = most_bytes);

  // `key`: hexadecimal digits.
  [[nodiscard]] std::optional<CompiledObject> find(const std::string& key) const;
  void store(const std::string& key, const CompiledObject& compiled) const;

 private:
  void remove_oldest() const;

  std::optional<std::filesystem::path> folder_;
  uint64_t limit_;
};

}  // namespace mote
