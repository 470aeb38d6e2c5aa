// SPDX-License-Identifier: Apache-2.0
#include "crypto.hpp"

#include "monocypher.h"

namespace agent {

namespace {

void copy(uint8_t* to, const uint8_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = from[i];
}

// Takes as long whatever the bytes are.
bool same(const uint8_t* one, const uint8_t* other, size_t count) {
  uint8_t difference = 0;
  for (size_t i = 0; i < count; ++i) difference = static_cast<uint8_t>(difference | (one[i] ^ other[i]));
  return difference == 0;
}

}  // namespace

void Hmac::begin(const uint8_t* key, uint32_t bytes) {
  key_ = key;
  key_bytes_ = bytes;
  hash_.begin();
  add_key(0x36);
}

void Hmac::add_key(uint8_t pad) {
  for (uint32_t i = 0; i < hash_block_bytes; ++i) {
    const uint8_t byte = static_cast<uint8_t>(i < key_bytes_ ? key_[i] ^ pad : pad);
    hash_.add(&byte, 1);
  }
}

void Hmac::end(uint8_t digest[digest_bytes]) {
  hash_.end(digest);
  hash_.begin();
  add_key(0x5c);
  hash_.add(digest, digest_bytes);
  hash_.end(digest);
  crypto_wipe(&hash_, sizeof hash_);
}

SignatureCheck::SignatureCheck(const uint8_t key[key_bytes], const uint8_t signature[signature_bytes])
    : key_(key), signature_(signature) {
  hash_.begin();
  hash_.add(signature, signature_bytes / 2);
  hash_.add(key, key_bytes);
}

void SignatureCheck::add(const void* bytes, size_t count) { hash_.add(bytes, count); }

bool SignatureCheck::good() {
  uint8_t digest[digest_bytes], scalar[32];
  hash_.end(digest);
  crypto_eddsa_reduce(scalar, digest);
  return crypto_eddsa_check_equation(signature_, key_, scalar) == 0;
}

SignatureCheck image_check(const uint8_t owner[key_bytes], const uint8_t signature[signature_bytes],
                           const uint8_t firmware_id[wire::firmware_id_bytes]) {
  SignatureCheck check(owner, signature);
  check.add(wire::image_purpose, sizeof wire::image_purpose - 1);
  check.add(firmware_id, wire::firmware_id_bytes);
  return check;
}

void renew(Challenge& challenge, uint8_t random[key_bytes]) {
  copy(challenge.secret, random, key_bytes);
  crypto_wipe(random, key_bytes);
  crypto_x25519_public_key(challenge.key, challenge.secret);
  challenge.waits = true;
}

bool accept(SessionKeys& keys, Challenge& challenge, const uint8_t owner[key_bytes],
            const uint8_t firmware_id[wire::firmware_id_bytes], uint16_t session,
            const uint8_t host_key[key_bytes], const uint8_t signature[signature_bytes]) {
  if (!challenge.waits) return false;
  wire::Handshake handshake;
  copy(handshake.device_key, challenge.key, key_bytes);
  copy(handshake.host_key, host_key, key_bytes);
  copy(handshake.firmware_id, firmware_id, wire::firmware_id_bytes);
  handshake.session = session;

  SignatureCheck check(owner, signature);
  check.add(wire::session_purpose, sizeof wire::session_purpose - 1);
  check.add(&handshake, sizeof handshake);
  if (!check.good()) return false;

  uint8_t shared[key_bytes], derived[digest_bytes];
  const uint8_t zeros[key_bytes] = {};
  crypto_x25519(shared, challenge.secret, host_key);
  const bool strong = !same(shared, zeros, key_bytes);  // no point of low order (RFC 7748, 6.1)
  if (strong) {
    Hmac derivation;
    derivation.begin(shared, key_bytes);
    derivation.add(wire::keys_purpose, sizeof wire::keys_purpose - 1);
    derivation.add(&handshake, sizeof handshake);
    derivation.end(derived);
    copy(keys.to_device, derived, key_bytes);
    copy(keys.to_host, derived + key_bytes, key_bytes);
    copy(keys.host_key, host_key, key_bytes);
    keys.live = true;
    crypto_wipe(&challenge, sizeof challenge);
    crypto_wipe(derived, sizeof derived);
  }
  crypto_wipe(shared, sizeof shared);
  return strong;
}

void Tag::begin(const uint8_t key[key_bytes], uint32_t number) {
  hmac_.begin(key, key_bytes);
  hmac_.add(&number, sizeof number);
}

void Tag::add(const void* bytes, size_t count) { hmac_.add(bytes, count); }

void Tag::end(uint8_t tag[frame_tag_bytes]) {
  uint8_t digest[digest_bytes];
  hmac_.end(digest);
  copy(tag, digest, frame_tag_bytes);
}

bool Tag::matches(const uint8_t tag[frame_tag_bytes]) {
  uint8_t expected[frame_tag_bytes];
  end(expected);
  return same(expected, tag, frame_tag_bytes);
}

}  // namespace agent
