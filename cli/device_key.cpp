// SPDX-License-Identifier: Apache-2.0
#include "device_key.hpp"

#include "device/keys.hpp"

namespace mote::cli {

namespace {

void print(const OwnerKey& key) {
  fmt::print("{}", key_as_c_array("static const uint8_t owner_key[32]", key.public_key()));
}

}  // namespace

void add_device_key(CLI::App& device) {
  auto* const command = device.add_subcommand("key", "the owner's key, without which a keyed device obeys nobody");
  command->require_subcommand(1);
  const auto file = std::make_shared<std::string>();

  auto* const make =
      command->add_subcommand("new", "make a secret key and print its public part for the firmware");
  make->add_option("file", *file, "where to write it (PEM); never overwritten")->required();
  make->callback([file] {
    const OwnerKey key = OwnerKey::make();
    key.save(*file);
    print(key);
  });

  auto* const show = command->add_subcommand("show", "print the public part of a key as a C array");
  show->add_option("file", *file, "the secret key (PEM)")->required();
  show->callback([file] { print(OwnerKey::load(*file)); });
}

}  // namespace mote::cli
