// SPDX-License-Identifier: Apache-2.0
// What both ends of a keyed session sign, derive from and count; SPEC.md, "Keyed devices". Both include this file.
#pragma once

#include <stdint.h>

namespace wire {

constexpr uint32_t key_bytes = 32, signature_bytes = 64, firmware_id_bytes = 20;

// Said once in a session, at its beginning. Little-endian, without gaps.
struct Handshake {
  uint8_t device_key[key_bytes];  // X25519, fresh: the challenge
  uint8_t host_key[key_bytes];    // X25519, fresh
  uint8_t firmware_id[firmware_id_bytes];
  uint32_t session;
};
static_assert(sizeof(Handshake) == 88, "it is signed as it lies in memory");

// What a signature or a derivation is for stands in front of its message, without the terminating zero.
constexpr char session_purpose[] = "Mote session 1", keys_purpose[] = "Mote keys 1",
               image_purpose[] = "Mote image 1";

// Frames carry the low 16 bits of numbers of 32 bits, which are in their tags. An ordered request has the number
// next to the expected one:
constexpr uint32_t ordered_number(uint32_t expected, uint16_t low) {
  return expected + static_cast<uint32_t>(static_cast<int16_t>(low - static_cast<uint16_t>(expected)));
}
// A request without order has a larger number than any before, so that no copy of one is taken for another.
constexpr uint32_t larger_number(uint32_t last, uint16_t low) {
  return last + 1 + static_cast<uint16_t>(low - static_cast<uint16_t>(last + 1));
}

}  // namespace wire
