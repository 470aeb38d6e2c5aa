// SPDX-License-Identifier: Apache-2.0
#include "device/keys.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "agent/handshake.hpp"

namespace mote {

namespace {

void must(int done, const char* what) { require(done == 1, "libcrypto cannot {}", what); }

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* stream) const { BIO_free_all(stream); }
};
template <class T>
using Held = std::unique_ptr<T, FreeContext>;

EVP_PKEY* generate(int kind, const char* what) {
  const Held<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(kind, nullptr));
  EVP_PKEY* key = nullptr;
  must(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_keygen(context.get(), &key) == 1,
       what);
  return key;
}

Key raw_public_key(EVP_PKEY* pair) {
  Key key{};
  size_t length = key.size();
  must(EVP_PKEY_get_raw_public_key(pair, key.data(), &length) == 1 && length == key.size(), "read a public key");
  return key;
}

// No passphrase is asked for: a prompt would hang where nobody sits.
int no_passphrase(char*, int, int, void*) { return -1; }

Held<BIO> open_key_file(const std::filesystem::path& file) {
  struct stat about {};
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor >= 0 && fstat(descriptor, &about) == 0, "{}: {}; `mote device key new FILE` makes a key",
          file.string(), std::strerror(errno));
  Held<BIO> stream(BIO_new_fd(descriptor, BIO_CLOSE));
  require((about.st_mode & (S_IRWXG | S_IRWXO)) == 0,
          "{}: others can read or write this secret key; `chmod 600 {}`, or make a new key if somebody has",
          file.string(), file.string());
  return stream;
}

Key shared_secret(EVP_PKEY* own, const Key& other) {
  const Held<EVP_PKEY> peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.data(), other.size()));
  const Held<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(own, nullptr));
  must(peer != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1,
       "take part in X25519");
  Key secret{};
  size_t length = secret.size();
  const bool good = EVP_PKEY_derive(context.get(), secret.data(), &length) == 1 && secret != Key{};
  require(good,
          "the device's challenge is no proper X25519 key: this is not the agent's firmware, or somebody is in "
          "the line");
  return secret;
}

std::array<uint8_t, 64> hmac(const Key& key, std::span<const uint8_t> message) {
  std::array<uint8_t, 64> digest{};
  unsigned int length = 0;
  must(HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), digest.data(),
            &length) != nullptr &&
           length == digest.size(),
       "compute an HMAC");
  return digest;
}

template <size_t size>
std::vector<uint8_t> with_purpose(const char (&purpose)[size], std::span<const uint8_t> message) {
  std::vector<uint8_t> bytes(purpose, purpose + size - 1);
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

}  // namespace

void OwnerKey::Free::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

OwnerKey OwnerKey::make() { return OwnerKey(generate(EVP_PKEY_ED25519, "make an Ed25519 key")); }

OwnerKey OwnerKey::load(const std::filesystem::path& file) {
  const Held<BIO> stream = open_key_file(file);
  OwnerKey key(PEM_read_bio_PrivateKey(stream.get(), nullptr, no_passphrase, nullptr));
  require(
      key.key_ != nullptr && EVP_PKEY_get_id(key.key_.get()) == EVP_PKEY_ED25519,
      "{}: this is not an Ed25519 private key in PEM without a passphrase; `mote device key new FILE` makes one, "
      "`openssl pkey -in FILE -out PLAIN` takes a passphrase off",
      file.string());
  return key;
}

void OwnerKey::save(const std::filesystem::path& file) const {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  require(descriptor >= 0, "{}: {}; a key is never overwritten: choose another name", file.string(),
          std::strerror(errno));
  const Held<BIO> stream(BIO_new_fd(descriptor, BIO_CLOSE));
  const bool written =
      PEM_write_bio_PrivateKey(stream.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!written || fsync(descriptor) != 0) {
    const int reason = errno;
    unlink(file.c_str());  // half a key is none
    fail("{}: cannot write: {}", file.string(), std::strerror(reason));
  }
}

Key OwnerKey::public_key() const { return raw_public_key(key_.get()); }

Signature OwnerKey::sign(std::span<const uint8_t> message) const {
  const Held<EVP_MD_CTX> context(EVP_MD_CTX_new());
  Signature signature{};
  size_t length = signature.size();
  must(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
           EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) == 1 &&
           length == signature.size(),
       "sign");
  return signature;
}

std::string key_as_c_array(const std::string& declaration, const Key& key) {
  std::string text = declaration + " = {";
  for (size_t i = 0; i < key.size(); ++i)
    text += fmt::format("{}0x{:02x}{}", i % 8 == 0 ? "\n    " : " ", key[i], i + 1 < key.size() ? "," : "");
  return text + "};\n";
}

Authentication authenticate(const OwnerKey& owner, const Key& challenge, const FirmwareId& firmware_id,
                            uint16_t session) {
  const Held<EVP_PKEY> own(generate(EVP_PKEY_X25519, "make an X25519 key"));
  Authentication made{};
  made.host_key = raw_public_key(own.get());
  wire::Handshake handshake{};
  std::memcpy(handshake.device_key, challenge.data(), challenge.size());
  std::memcpy(handshake.host_key, made.host_key.data(), made.host_key.size());
  std::memcpy(handshake.firmware_id, firmware_id.data(), firmware_id.size());
  handshake.session = session;
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(&handshake), sizeof handshake);

  Key shared = shared_secret(own.get(), challenge);
  std::array<uint8_t, 64> derived = hmac(shared, with_purpose(wire::keys_purpose, bytes));
  std::memcpy(made.secrets.to_device.data(), derived.data(), 32);
  std::memcpy(made.secrets.to_host.data(), derived.data() + 32, 32);
  OPENSSL_cleanse(shared.data(), shared.size());
  OPENSSL_cleanse(derived.data(), derived.size());
  made.signature = owner.sign(with_purpose(wire::session_purpose, bytes));
  return made;
}

FrameTag frame_tag(const Key& secret, uint32_t number, std::span<const uint8_t> frame) {
  std::vector<uint8_t> message(sizeof number + frame.size());
  std::memcpy(message.data(), &number, sizeof number);
  if (!frame.empty()) std::memcpy(message.data() + sizeof number, frame.data(), frame.size());
  const std::array<uint8_t, 64> digest = hmac(secret, message);
  FrameTag tag{};
  std::memcpy(tag.data(), digest.data(), tag.size());
  return tag;
}

bool same_tag(const FrameTag& one, const FrameTag& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

Signature sign_image(const OwnerKey& owner, const FirmwareId& firmware_id, std::span<const uint8_t> contents) {
  std::vector<uint8_t> message = with_purpose(wire::image_purpose, firmware_id);
  message.insert(message.end(), contents.begin(), contents.end());
  return owner.sign(message);
}

}  // namespace mote
