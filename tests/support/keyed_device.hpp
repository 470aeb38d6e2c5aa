// SPDX-License-Identifier: Apache-2.0
// The device's half of a keyed session on the host, and bits to flip.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <span>

#include "agent/crypto.hpp"
#include "device/keys.hpp"
#include "keyed_build.hpp"

namespace mote::test {

// Skips where Monocypher is absent.
class KeyedDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (!agent::keyed_build) GTEST_SKIP() << "Monocypher is absent: tools/monocypher.sh build/monocypher";
    renew(1);
  }

  // A challenge from bytes that follow from `seed`.
  void renew(uint8_t seed) {
    std::array<uint8_t, 32> random;
    for (size_t i = 0; i < random.size(); ++i) random[i] = static_cast<uint8_t>(seed + 7 * i);
    agent::renew(challenge_, random.data());
  }

  Key challenge() const { return std::to_array(challenge_.key); }

  bool accepts(const Authentication& answer) {
    const Key owner = owner_.public_key();
    return agent::accept(keys_, challenge_, owner.data(), firmware_id_.data(), session_, answer.host_key.data(),
                         answer.signature.data());
  }

  OwnerKey owner_ = OwnerKey::make();
  FirmwareId firmware_id_ = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  uint16_t session_ = 0xABCD;
  agent::Challenge challenge_;
  agent::SessionKeys keys_;
};

// Calls `look` once for each bit of the bytes, with that bit flipped.
template <class Look>
void each_flipped_bit(std::span<uint8_t> bytes, Look look) {
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
    look(bit);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
  }
}

}  // namespace mote::test
