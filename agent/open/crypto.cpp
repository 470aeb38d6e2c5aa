// SPDX-License-Identifier: Apache-2.0
// In a firmware without a key, in place of keyed/crypto.cpp: nothing is accepted, no cryptography is linked.
#include "crypto.hpp"

namespace agent {

SignatureCheck::SignatureCheck(const uint8_t* key, const uint8_t* signature) : key_(key), signature_(signature) {}
void SignatureCheck::add(const void*, size_t) {}
bool SignatureCheck::good() { return false; }

SignatureCheck image_check(const uint8_t* owner, const uint8_t* signature, const uint8_t*) {
  return SignatureCheck(owner, signature);
}

void renew(Challenge& challenge, uint8_t*) { challenge.waits = false; }

bool accept(SessionKeys&, Challenge&, const uint8_t*, const uint8_t*, uint16_t, const uint8_t*, const uint8_t*) {
  return false;
}

void Tag::begin(const uint8_t*, uint32_t) {}
void Tag::add(const void*, size_t) {}
void Tag::end(uint8_t* tag) {
  for (uint32_t i = 0; i < frame_tag_bytes; ++i) tag[i] = 0;
}
bool Tag::matches(const uint8_t*) { return false; }

}  // namespace agent
