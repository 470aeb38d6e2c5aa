// SPDX-License-Identifier: Apache-2.0
// Runs the device's cryptography on an emulated core: published vectors, a handshake that the host has prepared
// (handshake.hpp), and what each operation costs.
#include <monocypher.h>

#include "agent/crypto.hpp"
#include "harness.hpp"
#include "prepared.hpp"
#include "support/crypto_vectors.hpp"

namespace {

void print(const char* text) {
  uint32_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  machine_write(text, bytes);
}

void print_decimal(uint32_t value) {
  char text[10];
  uint32_t length = 0;
  do {
    text[sizeof text - ++length] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  machine_write(text + sizeof text - length, length);
}

void print_hexadecimal(const uint8_t* bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const char text[] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]};
    machine_write(text, 2);
  }
  print("\n");
}

void check(const char* kind, const char* name, bool good) {
  print(good ? "ok " : "WRONG ");
  print(kind);
  print(" ");
  print(name);
  print("\n");
}

uint8_t message[1100], expected[64], digest[64];

bool digest_is(const char* text) {
  vectors::bytes_of(text, expected, sizeof expected);
  return crypto_verify64(expected, digest) == 0;
}

void check_hashes() {
  for (const vectors::Sha512& vector : vectors::sha512) {
    size_t length = 0;
    while (vector.message[length] != 0) ++length;
    agent::Sha512 hash;
    hash.begin();
    for (uint32_t i = 0; i < vector.times; ++i) hash.add(vector.message, length);
    hash.end(digest);
    check("sha512", vector.name, digest_is(vector.digest));
  }
  for (const vectors::Hmac& vector : vectors::hmac) {
    uint8_t key[128];
    agent::Hmac hmac;
    hmac.begin(key, static_cast<uint32_t>(vectors::bytes_of(vector.key, key, sizeof key)));
    hmac.add(message, vectors::bytes_of(vector.message, message, sizeof message));
    hmac.end(digest);
    check("hmac", vector.name, digest_is(vector.digest));
  }
}

void check_curves() {
  for (const vectors::Ed25519& vector : vectors::ed25519) {
    uint8_t key[32], signature[64];
    vectors::bytes_of(vector.key, key, sizeof key);
    vectors::bytes_of(vector.signature, signature, sizeof signature);
    const size_t count = vectors::bytes_of(vector.message, message, sizeof message);
    agent::SignatureCheck good(key, signature);
    good.add(message, count);
    check("ed25519", vector.name, good.good());
    signature[0] ^= 1;
    agent::SignatureCheck bad(key, signature);
    bad.add(message, count);
    check("ed25519, one bit flipped:", vector.name, !bad.good());
  }
  for (const vectors::X25519& vector : vectors::x25519) {
    uint8_t scalar[32], point[32], product[32];
    vectors::bytes_of(vector.scalar, scalar, sizeof scalar);
    vectors::bytes_of(vector.point, point, sizeof point);
    crypto_x25519(product, scalar, point);
    vectors::bytes_of(vector.product, expected, sizeof expected);
    check("x25519", vector.name, crypto_verify32(expected, product) == 0);
  }
}

agent::Challenge challenge;
agent::SessionKeys keys;
uint8_t tag[8];
bool answer;

void make_challenge() {
  uint8_t random[32];
  for (uint32_t i = 0; i < 32; ++i) random[i] = prepared::random[i];
  agent::renew(challenge, random);
}

void authenticate() {
  answer = agent::accept(keys, challenge, prepared::owner, prepared::firmware_id, prepared::session,
                         prepared::host_key, prepared::signature);
}

void verify_image() {
  agent::SignatureCheck image =
      agent::image_check(prepared::owner, prepared::image_signature, prepared::firmware_id);
  image.add(prepared::image, sizeof prepared::image);
  answer = image.good();
}

void tag_small() {
  agent::Tag made;
  made.begin(keys.to_host, prepared::number);
  made.add(prepared::image, 20);
  made.end(tag);
}

void tag_large() {
  agent::Tag made;
  made.begin(keys.to_host, prepared::number);
  made.add(prepared::image, 1044);
  made.end(tag);
}

void nothing() {}

void call(void* function, void*, void*, void*) { reinterpret_cast<void (*)()>(function)(); }

uint32_t ticks_of(void (*function)(), uint32_t& stack) {
  void* const arguments[4] = {reinterpret_cast<void*>(function), nullptr, nullptr, nullptr};
  Measure measure;
  mote_measure(call, arguments, &measure);
  bool wrapped = false;
  stack = measure.stack_pointer - measure.lowest_changed;
  return static_cast<uint32_t>(machine_ticks(measure.begin, measure.end, wrapped));
}

void measure(const char* name, void (*function)()) {
  uint32_t stack;
  const uint32_t empty = ticks_of(nothing, stack);
  print(name);
  print(" ");
  print_decimal(ticks_of(function, stack) - empty);
  print(" ticks, ");
  print_decimal(stack);
  print(" bytes of stack\n");
}

}  // namespace

extern "C" [[noreturn]] void mote_fault(uint32_t, uint32_t, uint32_t) {
  print("FAULT\n");
  machine_exit(1);
}

extern "C" [[noreturn]] void mote_main() {
  machine_start_counter();
  check_hashes();
  check_curves();
  measure("challenge", make_challenge);
  check("challenge", "of the host's build", crypto_verify32(challenge.key, prepared::challenge) == 0);
  measure("authenticate", authenticate);
  check("authenticate", "", answer && keys.live);
  authenticate();
  check("authenticate", "again", !answer);
  measure("image", verify_image);
  check("image", "", answer);
  measure("tag of 1044 bytes", tag_large);
  measure("tag of 20 bytes", tag_small);
  print("TAG ");
  print_hexadecimal(tag, sizeof tag);
  machine_exit(0);
}
