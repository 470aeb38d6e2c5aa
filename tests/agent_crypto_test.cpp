// SPDX-License-Identifier: Apache-2.0
// The device's cryptography, compiled for the host, against published vectors; SHA-512 also against another
// implementation.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "agent/crypto.hpp"

#ifdef MOTE_MONOCYPHER
#include <monocypher.h>
#endif

#include "support/crypto_vectors.hpp"

namespace {

using Bytes = std::vector<uint8_t>;
using Digest = std::array<uint8_t, agent::digest_bytes>;

Bytes bytes(const char* text) {
  Bytes read(vectors::bytes_of(text, nullptr, 0));
  vectors::bytes_of(text, read.data(), read.size());
  return read;
}

Bytes as_bytes(const Digest& digest) { return Bytes(digest.begin(), digest.end()); }

TEST(AgentSha512, Rfc6234) {
  for (const vectors::Sha512& vector : vectors::sha512) {
    agent::Sha512 hash;
    hash.begin();
    for (uint32_t i = 0; i < vector.times; ++i) hash.add(vector.message, std::string(vector.message).size());
    Digest digest;
    hash.end(digest.data());
    EXPECT_EQ(as_bytes(digest), bytes(vector.digest)) << vector.name;
  }
}

// All lengths around the ends of blocks, in pieces of any length.
TEST(AgentSha512, AgreesWithLibcrypto) {
  std::mt19937 random(1);
  for (size_t length = 0; length < 400; ++length) {
    Bytes message(length);
    for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
    agent::Sha512 hash;
    hash.begin();
    for (size_t at = 0; at < length;) {
      const size_t now = std::min<size_t>(length - at, random() % 150);
      hash.add(message.data() + at, now);
      at += now;
    }
    Digest digest, expected;
    hash.end(digest.data());
    unsigned int size = 0;
    ASSERT_EQ(EVP_Digest(message.data(), length, expected.data(), &size, EVP_sha512(), nullptr), 1);
    EXPECT_EQ(digest, expected) << length << " bytes";
  }
}

#ifndef MOTE_MONOCYPHER
TEST(AgentCrypto, AbsentAcceptsNothing) {
  for (const vectors::Ed25519& vector : vectors::ed25519) {
    const Bytes key = bytes(vector.key), signature = bytes(vector.signature);
    EXPECT_FALSE(agent::SignatureCheck(key.data(), signature.data()).good());
  }
  uint8_t key[32] = {}, tag[8] = {};
  agent::Tag made;
  made.begin(key, 1);
  EXPECT_FALSE(made.matches(tag));
}
#else

TEST(AgentCrypto, HmacOfRfc4231) {
  for (const vectors::Hmac& vector : vectors::hmac) {
    const Bytes key = bytes(vector.key), message = bytes(vector.message);
    agent::Hmac hmac;
    hmac.begin(key.data(), static_cast<uint32_t>(key.size()));
    hmac.add(message.data(), message.size());
    Digest digest;
    hmac.end(digest.data());
    EXPECT_EQ(as_bytes(digest), bytes(vector.digest)) << vector.name;
  }
}

TEST(AgentCrypto, Ed25519OfRfc8032) {
  for (const vectors::Ed25519& vector : vectors::ed25519) {
    const Bytes key = bytes(vector.key), message = bytes(vector.message), signature = bytes(vector.signature);
    agent::SignatureCheck check(key.data(), signature.data());
    for (const uint8_t byte : message) check.add(&byte, 1);
    EXPECT_TRUE(check.good()) << vector.name;

    agent::SignatureCheck longer(key.data(), signature.data());
    longer.add(message.data(), message.size());
    longer.add("", 1);
    EXPECT_FALSE(longer.good()) << vector.name;
  }
}

// S and S + L sign the same; RFC 8032, 5.1.7, demands the smaller one.
TEST(AgentCrypto, SignaturesHaveOneForm) {
  const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                             0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                             0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  for (const vectors::Ed25519& vector : vectors::ed25519) {
    const Bytes key = bytes(vector.key), message = bytes(vector.message);
    Bytes signature = bytes(vector.signature);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; ++i) {
      carry += signature[32 + i] + order[i];
      signature[32 + i] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    agent::SignatureCheck check(key.data(), signature.data());
    check.add(message.data(), message.size());
    EXPECT_FALSE(check.good()) << vector.name;
  }
}

TEST(AgentCrypto, X25519OfRfc7748) {
  for (const vectors::X25519& vector : vectors::x25519) {
    Bytes scalar = bytes(vector.scalar), product(32);
    crypto_x25519(product.data(), scalar.data(), bytes(vector.point).data());
    EXPECT_EQ(product, bytes(vector.product)) << vector.name;
  }
  Bytes scalar = bytes(vectors::x25519[2].scalar), point = scalar, product(32);
  for (int i = 0; i < 1000; ++i) {
    crypto_x25519(product.data(), scalar.data(), point.data());
    point = scalar;
    scalar = product;
  }
  EXPECT_EQ(product,
            bytes("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));  // 5.2, 1000 times
}

TEST(AgentCrypto, AChallengeIsAPublicKeyAndItsRandomBytesAreGone) {
  const vectors::X25519& alice = vectors::x25519[3];
  Bytes random = bytes(alice.scalar);
  agent::Challenge challenge;
  agent::renew(challenge, random.data());
  EXPECT_EQ(Bytes(challenge.key, challenge.key + 32), bytes(alice.product));
  EXPECT_TRUE(challenge.waits);
  EXPECT_EQ(random, Bytes(32));
}

#endif

}  // namespace
