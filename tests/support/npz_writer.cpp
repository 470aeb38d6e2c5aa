// SPDX-License-Identifier: Apache-2.0
#include "support/npz_writer.hpp"

#include <zip.h>

namespace mote::test {

Bytes npy(const std::string& descr, const Shape& shape, ByteSpan data) {
  std::string extents;
  for (const int64_t extent : shape) extents += fmt::format("{}, ", extent);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

Bytes npz(const std::vector<std::pair<std::string, Bytes>>& arrays, bool compressed) {
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(target);
  zip_t* const archive = zip_open_from_source(target, ZIP_TRUNCATE, nullptr);
  for (const auto& [key, bytes] : arrays) {
    zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, (key + ".npy").c_str(), source, 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                             0);
  }
  require(zip_close(archive) == 0, "cannot write the archive");
  require(zip_source_open(target) == 0, "cannot read the archive");
  Bytes result;
  std::byte block[4096];
  for (zip_int64_t count; (count = zip_source_read(target, block, sizeof block)) > 0;)
    result.insert(result.end(), block, block + count);
  zip_source_close(target);
  zip_source_free(target);
  return result;
}

}  // namespace mote::test
