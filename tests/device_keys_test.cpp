// SPDX-License-Identifier: Apache-2.0
// The owner's key files and signatures.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/keys.hpp"
#include "emulate/process.hpp"
#include "support/crypto_vectors.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

class KeyFiles : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  // A private file with this text.
  fs::path write(const std::string& name, const std::string& text) const {
    write_file(path(name), text);
    fs::permissions(path(name), fs::perms::owner_read | fs::perms::owner_write);
    return path(name);
  }

  std::string error_of_load(const fs::path& file) const {
    try {
      static_cast<void>(OwnerKey::load(file));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory folder_;
};

template <size_t size>
std::array<uint8_t, size> bytes(const char* text) {
  std::array<uint8_t, size> read{};
  EXPECT_EQ(vectors::bytes_of(text, read.data(), size), size);
  return read;
}

// PKCS#8 of an Ed25519 seed (RFC 8410, section 7), in PEM.
std::string pem(const char* seed) {
  std::vector<uint8_t> der = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                              0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
  const std::array<uint8_t, 32> raw = bytes<32>(seed);
  der.insert(der.end(), raw.begin(), raw.end());
  std::string text(65, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), der.data(), static_cast<int>(der.size()));
  return "-----BEGIN PRIVATE KEY-----\n" + text.substr(0, 64) + "\n-----END PRIVATE KEY-----\n";
}

TEST_F(KeyFiles, SignaturesOfRfc8032) {
  for (const vectors::Ed25519& vector : vectors::ed25519) {
    const OwnerKey key = OwnerKey::load(write("rfc.pem", pem(vector.secret)));
    EXPECT_EQ(key.public_key(), bytes<32>(vector.key)) << vector.name;
    std::vector<uint8_t> message(vectors::bytes_of(vector.message, nullptr, 0));
    vectors::bytes_of(vector.message, message.data(), message.size());
    EXPECT_EQ(key.sign(message), bytes<64>(vector.signature)) << vector.name;
  }
}

TEST_F(KeyFiles, AKeyIsSavedForItsOwnerOnlyAndLoadedAgain) {
  const OwnerKey key = OwnerKey::make();
  key.save(path("key.pem"));
  EXPECT_EQ(fs::status(path("key.pem")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(OwnerKey::load(path("key.pem")).public_key(), key.public_key());
  EXPECT_NE(OwnerKey::make().public_key(), key.public_key());
}

TEST_F(KeyFiles, AKeyIsNeverOverwritten) {
  write("taken.pem", "something else");
  EXPECT_THROW(OwnerKey::make().save(path("taken.pem")), Error);
  EXPECT_EQ(read_text(path("taken.pem")), "something else");
  fs::create_symlink(path("nowhere"), path("link.pem"));
  EXPECT_THROW(OwnerKey::make().save(path("link.pem")), Error);
  EXPECT_FALSE(fs::exists(path("nowhere")));
}

TEST_F(KeyFiles, AKeyThatOthersCanReadIsRefused) {
  OwnerKey::make().save(path("key.pem"));
  fs::permissions(path("key.pem"), fs::perms::group_read, fs::perm_options::add);
  EXPECT_NE(error_of_load(path("key.pem")).find("chmod 600"), std::string::npos);
}

TEST_F(KeyFiles, WhatIsNoKeyIsRefused) {
  EXPECT_NE(error_of_load(path("absent.pem")).find("mote device key new"), std::string::npos);
  EXPECT_NE(error_of_load(write("text.pem", "no key")).find("not an Ed25519 private key"), std::string::npos);
  EXPECT_NE(error_of_load(write("empty.pem", "")).find("not an Ed25519 private key"), std::string::npos);
  EXPECT_NE(error_of_load(fs::path("/")), "");
  std::string half = pem(vectors::ed25519[0].secret);
  half.resize(half.size() / 2);
  EXPECT_NE(error_of_load(write("half.pem", half)).find("not an Ed25519 private key"), std::string::npos);
}

class OpensslKeys : public KeyFiles {
 protected:
  void run(const std::vector<std::string>& arguments) {
    const ProcessResult result = run_process(arguments, std::chrono::seconds(60));
    ASSERT_EQ(result.exit_status, 0) << result.errors;
  }
  void SetUp() override {
    try {
      require_program("openssl", "openssl");
    } catch (const Error& absent) {
      GTEST_SKIP() << absent.what();
    }
  }
};

TEST_F(OpensslKeys, ItsKeysAreLoadedAndOursAreTheSameText) {
  run({"openssl", "genpkey", "-algorithm", "ed25519", "-out", path("made.pem").string()});
  OwnerKey::load(path("made.pem")).save(path("again.pem"));
  EXPECT_EQ(read_text(path("again.pem")), read_text(path("made.pem")));
}

TEST_F(OpensslKeys, OtherKindsAndPassphrasesAreRefusedWithoutAsking) {
  run({"openssl", "genpkey", "-algorithm", "x25519", "-out", path("x.pem").string()});
  EXPECT_NE(error_of_load(path("x.pem")).find("not an Ed25519 private key"), std::string::npos);
  run({"openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out",
       path("locked.pem").string()});
  EXPECT_NE(error_of_load(path("locked.pem")).find("passphrase"), std::string::npos);
}

TEST(KeyAsCArray, HoldsTheBytesInOrder) {
  Key key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i + 240);
  EXPECT_EQ(key_as_c_array("static const uint8_t owner_key[32]", key),
            "static const uint8_t owner_key[32] = {\n"
            "    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,\n"
            "    0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,\n"
            "    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,\n"
            "    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};\n");
}

}  // namespace
}  // namespace mote
