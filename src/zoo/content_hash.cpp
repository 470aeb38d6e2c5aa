// SPDX-License-Identifier: Apache-2.0
#include "zoo/content_hash.hpp"

#include <openssl/evp.h>

#include <array>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mote {

std::string sha256(ByteSpan bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int length = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  require(done == 1 && length == digest.size(), "libcrypto cannot compute SHA-256");
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string mote_build() {
  return fmt::format("{} (build {})", MOTE_VERSION, sha256(read_file("/proc/self/exe")).substr(0, 12));
}

}  // namespace mote
