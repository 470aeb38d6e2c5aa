// SPDX-License-Identifier: Apache-2.0
// Frames have the bytes of SPEC.md's test vectors, which Python's zlib.crc32 and a COBS written from its paper
// gave.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "agent/frame.hpp"
#include "agent/protocol.hpp"

namespace {

using Octets = std::vector<uint8_t>;

Octets stuffed(const Octets& frame) {
  Octets bytes;
  const auto sink = [&](const uint8_t* from, size_t count) { bytes.insert(bytes.end(), from, from + count); };
  wire::Stuffer<decltype(sink)> stuffer(sink);
  stuffer.add(frame.data(), frame.size());
  stuffer.end();
  return bytes;
}

Octets with_crc(Octets frame) {
  wire::Crc32 crc;
  crc.add(frame.data(), frame.size());
  frame.resize(frame.size() + 4);
  wire::put32(&frame[frame.size() - 4], crc.value());
  return frame;
}

Octets unstuffed(const Octets& bytes) {
  Octets frame(bytes.size());
  wire::Unstuffer unstuffer(frame.data(), static_cast<uint32_t>(frame.size()));
  for (const uint8_t byte : bytes)
    if (unstuffer.add(byte)) frame.resize(unstuffer.size());
  return frame;
}

TEST(Frame, Vectors) {
  const Octets hello{1, 0, 0x34, 0x12, 1, 0, 'M', 'O', 'T', 'E', 1, 0, 0, 0};
  EXPECT_EQ(stuffed(with_crc(hello)), (Octets{0x02, 0x01, 0x04, 0x34, 0x12, 0x01, 0x06, 0x4d, 0x4f, 0x54,
                                              0x45, 0x01, 0x01, 0x01, 0x05, 0xef, 0xab, 0xa8, 0xfd, 0x00}));
  const Octets refusal{
      20 | wire::response_bit, static_cast<uint8_t>(wire::Status::not_owned), 0x34, 0x12, 0, 1, 0, 0, 0, 0x82};
  EXPECT_EQ(stuffed(with_crc(refusal)), (Octets{0x05, 0x94, 0x0d, 0x34, 0x12, 0x02, 0x01, 0x01, 0x01, 0x06, 0x82,
                                                0x6e, 0xbc, 0x95, 0x15, 0x00}));
  wire::Crc32 crc;  // the check value of CRC-32/ISO-HDLC
  crc.add(reinterpret_cast<const uint8_t*>("123456789"), 9);
  EXPECT_EQ(crc.value(), 0xcbf43926u);
  uint64_t hash = wire::hash_begin;  // FNV's own test vector
  for (const char letter : {'f', 'o', 'o', 'b', 'a', 'r'})
    hash = wire::hash_next(hash, static_cast<uint8_t>(letter));
  EXPECT_EQ(hash, 0x85944171f73967e8u);
}

TEST(Frame, LongRunsWithoutAZero) {
  Octets run(255);
  std::iota(run.begin(), run.end(), uint8_t{1});
  const Octets bytes = stuffed(run);
  ASSERT_EQ(bytes.size(), 258U);
  EXPECT_EQ(bytes[0], 255);
  EXPECT_EQ((Octets(bytes.begin() + 254, bytes.end())), (Octets{0xfe, 0x02, 0xff, 0x00}));
  for (size_t length = 1; length < 600; ++length) {
    Octets frame(length, 7);
    EXPECT_EQ(unstuffed(stuffed(frame)), frame);
    EXPECT_LE(stuffed(frame).size(), wire::stuffed_bytes(length));
    frame[length / 2] = 0;
    EXPECT_EQ(unstuffed(stuffed(frame)), frame);
  }
}

}  // namespace
