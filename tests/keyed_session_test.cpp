// SPDX-License-Identifier: Apache-2.0
// Both ends of a keyed session against each other, and everything that a stranger may try.
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "support/crypto_vectors.hpp"
#include "support/keyed_device.hpp"

namespace mote {
namespace {

using test::each_flipped_bit;
using test::KeyedDevice;

const std::vector<uint8_t> frame = {17, 0, 0xCD, 0xAB, 1, 0, 'h', 'e', 'l', 'l', 'o'};

FrameTag device_tag(const uint8_t* key, uint32_t number, std::span<const uint8_t> bytes) {
  agent::Tag tag;
  tag.begin(key, number);
  tag.add(bytes.data(), bytes.size());
  FrameTag made;
  tag.end(made.data());
  return made;
}

bool device_takes(const uint8_t* key, uint32_t number, std::span<const uint8_t> bytes, const FrameTag& with) {
  agent::Tag tag;
  tag.begin(key, number);
  tag.add(bytes.data(), bytes.size());
  return tag.matches(with.data());
}

TEST_F(KeyedDevice, TheOwnerGetsIn) {
  const Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  ASSERT_TRUE(accepts(answer));
  EXPECT_TRUE(keys_.live);
  EXPECT_TRUE(device_takes(keys_.to_device, 7, frame, frame_tag(answer.secrets.to_device, 7, frame)));
  EXPECT_TRUE(same_tag(device_tag(keys_.to_host, 7, frame), frame_tag(answer.secrets.to_host, 7, frame)));
}

TEST_F(KeyedDevice, AChallengeWorksOnceAndItsSecretIsGone) {
  const Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  ASSERT_TRUE(accepts(answer));
  EXPECT_EQ(std::to_array(challenge_.secret), Key{});
  EXPECT_FALSE(accepts(answer));
  renew(2);
  EXPECT_FALSE(accepts(answer));
  EXPECT_TRUE(accepts(authenticate(owner_, challenge(), firmware_id_, session_)));
}

// The owner's signature for a host key of the caller's choice.
class SignedByHand : public KeyedDevice {
 protected:
  Authentication sign(const Key& host_key) const {
    wire::Handshake handshake{};
    std::ranges::copy(challenge_.key, handshake.device_key);
    std::ranges::copy(host_key, handshake.host_key);
    std::ranges::copy(firmware_id_, handshake.firmware_id);
    handshake.session = session_;
    std::vector<uint8_t> message(wire::session_purpose, wire::session_purpose + sizeof wire::session_purpose - 1);
    const uint8_t* const from = reinterpret_cast<const uint8_t*>(&handshake);
    message.insert(message.end(), from, from + sizeof handshake);
    Authentication answer{};
    answer.host_key = host_key;
    answer.signature = owner_.sign(message);
    return answer;
  }
};

TEST_F(SignedByHand, NoChallengeNoSession) {
  EXPECT_TRUE(accepts(sign(Key{9})));
  keys_ = {};
  EXPECT_FALSE(accepts(sign(Key{9})));  // even with a signature for the zeros that are left
  EXPECT_FALSE(keys_.live);
}

// Whatever a stranger tries, the live session goes on, and the waiting challenge is still there for the owner.
TEST_F(KeyedDevice, AStrangerChangesNothing) {
  ASSERT_TRUE(accepts(authenticate(owner_, challenge(), firmware_id_, session_)));
  renew(2);
  const agent::SessionKeys before = keys_;
  const Key waiting = challenge();
  const OwnerKey stranger = OwnerKey::make();
  EXPECT_FALSE(accepts(authenticate(stranger, challenge(), firmware_id_, session_)));
  EXPECT_EQ(std::to_array(keys_.to_device), std::to_array(before.to_device));
  EXPECT_EQ(std::to_array(keys_.to_host), std::to_array(before.to_host));
  EXPECT_TRUE(keys_.live);
  EXPECT_EQ(challenge(), waiting);
  EXPECT_TRUE(accepts(authenticate(owner_, challenge(), firmware_id_, session_)));
  EXPECT_NE(std::to_array(keys_.to_device), std::to_array(before.to_device));
}

TEST_F(KeyedDevice, EveryBitOfAnAnswerCounts) {
  Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  const auto refused = [&](const char* what) {
    return [&, what](size_t bit) {
      EXPECT_FALSE(accepts(answer)) << what << ", bit " << bit;
      EXPECT_FALSE(keys_.live);
    };
  };
  each_flipped_bit(answer.host_key, refused("host key"));
  each_flipped_bit(answer.signature, refused("signature"));
  each_flipped_bit(firmware_id_, refused("firmware id"));
  for (int bit = 0; bit < 16; ++bit) {
    session_ = static_cast<uint16_t>(session_ ^ 1U << bit);
    EXPECT_FALSE(accepts(answer)) << "session, bit " << bit;
    session_ = static_cast<uint16_t>(session_ ^ 1U << bit);
  }
  Key other = challenge();
  each_flipped_bit(other, [&](size_t bit) {
    // Bit 255 is none of the key's: both name the same point, but the signature tells them apart.
    EXPECT_FALSE(accepts(authenticate(owner_, other, firmware_id_, session_))) << "challenge, bit " << bit;
  });
  EXPECT_TRUE(accepts(answer));
}

TEST_F(KeyedDevice, EveryBitOfATaggedFrameCounts) {
  const Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  ASSERT_TRUE(accepts(answer));
  const uint32_t number = 0x00012345;
  FrameTag tag = frame_tag(answer.secrets.to_device, number, frame);
  std::vector<uint8_t> bytes = frame;
  const auto refused = [&](size_t bit) {
    EXPECT_FALSE(device_takes(keys_.to_device, number, bytes, tag)) << bit;
    EXPECT_FALSE(same_tag(frame_tag(answer.secrets.to_device, number, bytes), tag)) << bit;
  };
  each_flipped_bit(tag, refused);
  each_flipped_bit(bytes, refused);
  for (int bit = 0; bit < 32; ++bit)
    EXPECT_FALSE(device_takes(keys_.to_device, number ^ 1U << bit, frame, tag)) << "number, bit " << bit;
  EXPECT_FALSE(device_takes(keys_.to_host, number, frame, tag)) << "the other direction";
  EXPECT_TRUE(device_takes(keys_.to_device, number, frame, tag));
}

// A key that takes every shared secret to zero would be known to all; the owner's signature does not make it good.
TEST_F(SignedByHand, PointsOfLowOrderAreRefused) {
  for (const char* const text : vectors::low_order) {
    for (const int top : {0, 0x80}) {
      Key point{};
      vectors::bytes_of(text, point.data(), point.size());
      point[31] = static_cast<uint8_t>(point[31] | top);
      EXPECT_FALSE(accepts(sign(point))) << text;
      EXPECT_FALSE(keys_.live);
      EXPECT_TRUE(challenge_.waits);
      EXPECT_THROW(static_cast<void>(authenticate(owner_, point, firmware_id_, session_)), Error) << text;
    }
  }
}

TEST_F(KeyedDevice, EveryBitOfASignedImageCounts) {
  const Key owner = owner_.public_key();
  std::mt19937 random(3);
  std::vector<uint8_t> contents(300);
  for (uint8_t& byte : contents) byte = static_cast<uint8_t>(random());
  Signature signature = sign_image(owner_, firmware_id_, contents);
  const auto good = [&] {
    agent::SignatureCheck check = agent::image_check(owner.data(), signature.data(), firmware_id_.data());
    check.add(contents.data(), 80);
    check.add(contents.data() + 80, contents.size() - 80);
    return check.good();
  };
  const auto refused = [&](size_t bit) { EXPECT_FALSE(good()) << bit; };
  each_flipped_bit(signature, refused);
  each_flipped_bit(contents, refused);
  each_flipped_bit(firmware_id_, refused);
  EXPECT_TRUE(good());
  signature = sign_image(OwnerKey::make(), firmware_id_, contents);
  EXPECT_FALSE(good());
}

// A signature is good for what it was made for, even if the bytes could be read as something else.
TEST_F(KeyedDevice, AnImageIsNoSession) {
  const Authentication answer = authenticate(owner_, challenge(), firmware_id_, session_);
  const Key owner = owner_.public_key();
  wire::Handshake handshake{};
  std::ranges::copy(challenge_.key, handshake.device_key);
  std::ranges::copy(answer.host_key, handshake.host_key);
  std::ranges::copy(firmware_id_, handshake.firmware_id);
  handshake.session = session_;
  agent::SignatureCheck session(owner.data(), answer.signature.data());
  session.add(wire::session_purpose, sizeof wire::session_purpose - 1);
  session.add(&handshake, sizeof handshake);
  EXPECT_TRUE(session.good());
  agent::SignatureCheck image = agent::image_check(owner.data(), answer.signature.data(), firmware_id_.data());
  image.add(&handshake, sizeof handshake);
  EXPECT_FALSE(image.good());
}

TEST(FrameNumbers, LowHalvesFindTheirNumber) {
  for (const uint32_t expected : {0U, 5U, 65530U, 65536U, 0x12345678U, 0xFFFFFFF0U}) {
    for (int step = -16; step <= 16; ++step) {
      const uint32_t number = expected + static_cast<uint32_t>(step);
      EXPECT_EQ(wire::ordered_number(expected, static_cast<uint16_t>(number)), number);
    }
    for (const uint32_t step : {1U, 2U, 100U, 65536U})
      EXPECT_EQ(wire::larger_number(expected, static_cast<uint16_t>(expected + step)), expected + step);
  }
}

}  // namespace
}  // namespace mote
