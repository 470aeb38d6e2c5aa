// SPDX-License-Identifier: Apache-2.0
// Who may load code: signatures of the owner, session keys, tags of frames. keyed/crypto.cpp needs Monocypher; a
// firmware without a key links open/crypto.cpp instead, which accepts nothing.
#pragma once

#include "handshake.hpp"
#include "sha512.hpp"

namespace agent {

using wire::key_bytes;
using wire::signature_bytes;
constexpr uint32_t frame_tag_bytes = 8;

// HMAC-SHA-512 (RFC 2104). The key has at most 128 bytes and is needed until end().
class Hmac {
 public:
  void begin(const uint8_t* key, uint32_t bytes);
  void add(const void* bytes, size_t count) { hash_.add(bytes, count); }
  void end(uint8_t digest[digest_bytes]);

 private:
  void add_key(uint8_t pad);

  const uint8_t* key_;
  uint32_t key_bytes_;
  Sha512 hash_;
};

// Ed25519 (RFC 8032) of a message that comes in pieces. Nearly three million instructions on a core of 32 bits.
class SignatureCheck {
 public:
  // Both are needed until good().
  SignatureCheck(const uint8_t key[key_bytes], const uint8_t signature[signature_bytes]);
  void add(const void* bytes, size_t count);
  bool good();  // once

 private:
  [[maybe_unused]] const uint8_t* key_;
  [[maybe_unused]] const uint8_t* signature_;
  Sha512 hash_;
};

// A signed image: what was signed is image_purpose, the firmware's id, the record, and the bytes of its sections.
// The check has the first two; the agent adds the others from its memory.
SignatureCheck image_check(const uint8_t owner[key_bytes], const uint8_t signature[signature_bytes],
                           const uint8_t firmware_id[wire::firmware_id_bytes]);

// The device's half of a handshake. It waits until the owner has answered it, whoever else says hello or tries.
struct Challenge {
  bool waits = false;
  uint8_t secret[key_bytes];
  uint8_t key[key_bytes];  // what hello sends
};

struct SessionKeys {
  bool live = false;
  uint8_t to_device[key_bytes], to_host[key_bytes];
  uint8_t host_key[key_bytes];

  bool opened_by(const uint8_t key[key_bytes]) const {  // no secret: it was sent
    for (uint32_t i = 0; i < key_bytes; ++i)
      if (host_key[i] != key[i]) return false;
    return true;
  }
};

// Makes a challenge of 32 unpredictable bytes, which it wipes.
void renew(Challenge& challenge, uint8_t random[key_bytes]);

// The owner's answer to the challenge: from now on its session lives, and the challenge is used up. False: it was
// not the owner's, nothing has changed.
bool accept(SessionKeys& keys, Challenge& challenge, const uint8_t owner[key_bytes],
            const uint8_t firmware_id[wire::firmware_id_bytes], uint16_t session,
            const uint8_t host_key[key_bytes], const uint8_t signature[signature_bytes]);

// The tag of a frame: of its number (handshake.hpp) and its bytes from the header to the end of the payload, with
// the key of the direction. The key is needed until the end.
class Tag {
 public:
  void begin(const uint8_t key[key_bytes], uint32_t number);
  void add(const void* bytes, size_t count);
  void end(uint8_t tag[frame_tag_bytes]);
  bool matches(const uint8_t tag[frame_tag_bytes]);  // instead of end()

 private:
  Hmac hmac_;
};

}  // namespace agent
