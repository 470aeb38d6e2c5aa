// SPDX-License-Identifier: Apache-2.0
#include "base/embedded.hpp"

#include <map>

#include "base/error.hpp"

namespace mote {

namespace {

std::map<std::string, std::string, std::less<>>& added() {
  static std::map<std::string, std::string, std::less<>> files;
  return files;
}

const EmbeddedFile* find(std::string_view path) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace

std::string_view embedded_file(std::string_view path) {
  if (const EmbeddedFile* const file = find(path)) return file->text;
  const auto found = added().find(path);
  require(found != added().end(), "internal: no file '{}' was built into this program", path);
  return found->second;
}

void add_embedded_file(const std::string& path, const std::string& text) {
  const std::string& known = added().try_emplace(path, text).first->second;
  require(find(path) == nullptr && known == text, "there are two files '{}'", path);
}

}  // namespace mote
