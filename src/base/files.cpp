// SPDX-License-Identifier: Apache-2.0
#include "base/files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace mote {

namespace {

// The stream sets errno when the system refuses; it stays 0 when the stream itself gives up.
std::string reason() { return errno != 0 ? std::strerror(errno) : "input or output error"; }

}  // namespace

Bytes read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  require(std::filesystem::exists(path, ignored), "{}: no such file", path.string());
  require(!std::filesystem::is_directory(path, ignored), "{}: is a directory, not a file", path.string());
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  require(stream.is_open(), "{}: cannot be opened: {}", path.string(), reason());
  Bytes bytes;
  char block[1 << 16];
  while (stream.read(block, sizeof block), stream.gcount() > 0) {
    const auto* const first = reinterpret_cast<const std::byte*>(block);
    bytes.insert(bytes.end(), first, first + stream.gcount());
  }
  require(!stream.bad(), "{}: cannot be read: {}", path.string(), reason());
  return bytes;
}

std::string read_text(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace {

// Errors name the file that the user asked for.
void write(const std::filesystem::path& path, const std::filesystem::path& asked_for, ByteSpan bytes) {
  errno = 0;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  require(stream.is_open(), "{}: cannot be written: {}", asked_for.string(), reason());
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  require(!stream.fail(), "{}: cannot be written: {}", asked_for.string(), reason());
}

}  // namespace

void write_file(const std::filesystem::path& path, ByteSpan bytes) { write(path, path, bytes); }

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

void replace_file(const std::filesystem::path& path, ByteSpan bytes) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return write_file(path, bytes);
  const fs::path real = fs::is_symlink(path, ignored) ? fs::canonical(path, ignored) : path;
  const fs::path part = real.string() + ".part";
  try {
    write(part, path, bytes);
    fs::rename(part, real);
  } catch (...) {
    fs::remove(part, ignored);
    throw;
  }
}

}  // namespace mote
