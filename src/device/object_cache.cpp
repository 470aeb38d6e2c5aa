// SPDX-License-Identifier: Apache-2.0
#include "device/object_cache.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/files.hpp"
#include "zoo/content_hash.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view magic = "mote object 1\n";
constexpr std::string_view extension = ".object";

ByteSpan bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

void append(Bytes& to, ByteSpan from) { to.insert(to.end(), from.begin(), from.end()); }

// magic, hash of what follows, bytes of the object u64, object, frames
Bytes pack(const CompiledObject& compiled) {
  const uint64_t object_bytes = compiled.object.size();
  Bytes content = to_bytes(std::span(&object_bytes, 1));
  append(content, compiled.object);
  append(content, bytes_of(compiled.frames));
  Bytes file;
  append(file, bytes_of(magic));
  append(file, bytes_of(sha256(content)));
  append(file, content);
  return file;
}

std::optional<CompiledObject> unpack(ByteSpan file) {
  const size_t hash_bytes = sha256({}).size();
  const size_t head = magic.size() + hash_bytes;
  if (file.size() < head + sizeof(uint64_t)) return std::nullopt;
  if (!std::ranges::equal(file.first(magic.size()), bytes_of(magic))) return std::nullopt;
  const ByteSpan content = file.subspan(head);
  if (!std::ranges::equal(file.subspan(magic.size(), hash_bytes), bytes_of(sha256(content)))) return std::nullopt;
  const uint64_t object_bytes = to_values<uint64_t>(content.first(sizeof(uint64_t)))[0];
  const ByteSpan rest = content.subspan(sizeof(uint64_t));
  if (object_bytes > rest.size()) return std::nullopt;
  const ByteSpan object = rest.first(object_bytes), frames = rest.subspan(object_bytes);
  return CompiledObject{Bytes(object.begin(), object.end()),
                        std::string(reinterpret_cast<const char*>(frames.data()), frames.size())};
}

}  // namespace

std::optional<fs::path> user_cache_directory() {
  const auto variable = [](const char* name) -> std::string {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  // A relative path is to be ignored, says the XDG specification.
  if (const fs::path xdg = variable("XDG_CACHE_HOME"); xdg.is_absolute()) return xdg / "mote";
  if (const fs::path home = variable("HOME"); home.is_absolute()) return home / ".cache" / "mote";
  return std::nullopt;
}

ObjectCache::ObjectCache(std::optional<fs::path> folder, uint64_t limit)
    : folder_(std::move(folder)), limit_(limit) {}

std::optional<CompiledObject> ObjectCache::find(const std::string& key) const {
  if (!folder_) return std::nullopt;
  const fs::path path = *folder_ / (key + std::string(extension));
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return std::nullopt;
  try {
    std::optional<CompiledObject> compiled = unpack(read_file(path));
    if (compiled) fs::last_write_time(path, fs::file_time_type::clock::now(), problem);
    return compiled;
  } catch (const Error&) {  // another process removed it, or it is not ours to read
    return std::nullopt;
  }
}

void ObjectCache::store(const std::string& key, const CompiledObject& compiled) const {
  if (!folder_) return;
  try {
    fs::create_directories(*folder_);
    const fs::path path = *folder_ / (key + std::string(extension));
    const fs::path part =
        fmt::format("{}.{}-{}", path.string(), getpid(), std::hash<std::thread::id>()(std::this_thread::get_id()));
    const Bytes bytes = pack(compiled);
    try {
      write_file(part, bytes);
      fs::rename(part, path);
    } catch (...) {
      fs::remove(part);
      throw;
    }
    remove_oldest();
  } catch (const std::exception&) {  // a full or read-only disk: the next call compiles again, that is all
  }
}

void ObjectCache::remove_oldest() const {
  struct Entry {
    fs::file_time_type used;
    fs::path path;
    uint64_t bytes;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(*folder_)) {
    if (file.path().extension() != extension) continue;
    entries.push_back({file.last_write_time(), file.path(), file.file_size()});
    total += entries.back().bytes;
  }
  std::ranges::sort(entries, {}, &Entry::used);
  for (size_t i = 0; i < entries.size() && total > limit_; ++i) {
    fs::remove(entries[i].path);
    total -= entries[i].bytes;
  }
}

}  // namespace mote
