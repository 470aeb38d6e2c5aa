// SPDX-License-Identifier: Apache-2.0
#include "base/npz.hpp"

#include <zip.h>

#include <memory>

namespace mote {

namespace {

constexpr zip_uint64_t most_bytes = zip_uint64_t{1} << 34;  // of one array, unpacked

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

Archive open_archive(ByteSpan bytes, const std::string& what) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  require(source != nullptr, "{}: cannot be read as a zip archive: {}", what, zip_error_strerror(&error));
  Archive archive(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (archive == nullptr) {
    const std::string reason = zip_error_strerror(&error);
    zip_source_free(source);
    zip_error_fini(&error);
    fail("{}: is no .npz file (a zip archive of .npy files): {}", what, reason);
  }
  zip_error_fini(&error);
  return archive;
}

Bytes unpack(zip_t* archive, zip_uint64_t index, const std::string& what) {
  zip_stat_t about;
  zip_stat_init(&about);
  require(zip_stat_index(archive, index, 0, &about) == 0 && (about.valid & ZIP_STAT_SIZE) != 0,
          "{}: its size cannot be read", what);
  require(about.size <= most_bytes, "{}: has {} bytes; at most {} are read", what, about.size, most_bytes);
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, index, 0));
  require(file != nullptr, "{}: cannot be unpacked: {}", what, zip_strerror(archive));
  Bytes bytes;
  std::byte block[1 << 16];
  while (true) {  // grows with what is there, whatever the archive claims
    const zip_int64_t count = zip_fread(file.get(), block, sizeof block);
    require(count >= 0, "{}: cannot be unpacked: {}", what, zip_file_strerror(file.get()));
    if (count == 0) break;
    require(bytes.size() + static_cast<size_t>(count) <= about.size, "{}: holds more than it states", what);
    bytes.insert(bytes.end(), block, block + count);
  }
  require(bytes.size() == about.size, "{}: holds {} of {} bytes", what, bytes.size(), about.size);
  return bytes;
}

}  // namespace

bool looks_like_zip(ByteSpan bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "PK", 2) == 0 && bytes[2] < std::byte{8};
}

std::map<std::string, NpyArray> parse_npz(ByteSpan bytes, const std::string& what) {
  const Archive archive = open_archive(bytes, what);
  std::map<std::string, NpyArray> arrays;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const name = zip_get_name(archive.get(), static_cast<zip_uint64_t>(i), 0);
    require(name != nullptr, "{}: entry {} has no name", what, i);
    std::string key = name;
    require(key.ends_with(".npy"), "{}: holds '{}', which is no .npy file; write it with np.savez", what, key);
    key.resize(key.size() - 4);
    const std::string place = fmt::format("{}: '{}'", what, key);
    const bool fresh =
        arrays.emplace(key, parse_npy(unpack(archive.get(), static_cast<zip_uint64_t>(i), place), place)).second;
    require(fresh, "{}: holds '{}' twice", what, key);
  }
  return arrays;
}

}  // namespace mote
