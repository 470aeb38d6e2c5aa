// SPDX-License-Identifier: Apache-2.0
// SHA-512 (FIPS 180-4), piece by piece; both ends of a keyed session rest on it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace agent {

constexpr uint32_t digest_bytes = 64, hash_block_bytes = 128;

class Sha512 {
 public:
  void begin();  // first
  void add(const void* bytes, size_t count);
  void end(uint8_t digest[digest_bytes]);  // nothing may be added after it

 private:
  void compress();

  uint64_t state_[8];
  uint64_t count_;
  uint8_t block_[hash_block_bytes];
};

}  // namespace agent
