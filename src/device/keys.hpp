// SPDX-License-Identifier: Apache-2.0
// The owner's end of keyed devices: key files, signatures, sessions. agent/crypto.hpp is the other end.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.hpp"

struct evp_pkey_st;

namespace mote {

using Key = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;
using FirmwareId = std::array<uint8_t, 20>;
using FrameTag = std::array<uint8_t, 8>;

// An Ed25519 key pair.
class OwnerKey {
 public:
  [[nodiscard]] static OwnerKey make();
  // A PEM file (PKCS#8), as save() and `openssl genpkey -algorithm ed25519` write it. Throws Error, also where
  // others than its owner may read the file.
  [[nodiscard]] static OwnerKey load(const std::filesystem::path& file);
  // For its owner's eyes only; throws Error where the file exists.
  void save(const std::filesystem::path& file) const;

  [[nodiscard]] Key public_key() const;
  [[nodiscard]] Signature sign(std::span<const uint8_t> message) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  explicit OwnerKey(evp_pkey_st* key) : key_(key) {}
  std::unique_ptr<evp_pkey_st, Free> key_;
};

// A C array for the firmware's sources (agent::Identity::key): "DECLARATION = {...};".
[[nodiscard]] std::string key_as_c_array(const std::string& declaration, const Key& key);

struct SessionSecrets {
  Key to_device, to_host;
};

// The answer to a keyed device's hello.
struct Authentication {
  Key host_key;
  Signature signature;
  SessionSecrets secrets;  // of the session that begins when the device accepts
};

// Throws Error where the challenge is no proper X25519 key.
[[nodiscard]] Authentication authenticate(const OwnerKey& owner, const Key& challenge,
                                          const FirmwareId& firmware_id, uint16_t session);

// The tag of a frame: of its number (agent/handshake.hpp) and its bytes from the header to the end of the payload;
// `secret` is that of its direction.
[[nodiscard]] FrameTag frame_tag(const Key& secret, uint32_t number, std::span<const uint8_t> frame);
[[nodiscard]] bool same_tag(const FrameTag& one, const FrameTag& other);  // takes as long whatever they are

// `contents`: the bytes of the record, then those of the sections that are signed with it.
[[nodiscard]] Signature sign_image(const OwnerKey& owner, const FirmwareId& firmware_id,
                                   std::span<const uint8_t> contents);

}  // namespace mote
