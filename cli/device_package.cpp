// SPDX-License-Identifier: Apache-2.0
#include "device_package.hpp"

#include <fmt/ranges.h>

#include <memory>

#include "base/files.hpp"
#include "device/agent_package.hpp"
#include "target/find.hpp"

namespace mote::cli {

namespace {

struct Flags {
  std::string ecosystem, target, output, key;
};

void write_package(const Flags& flags) {
  const std::filesystem::path folder(flags.output);
  std::optional<Key> owner;
  if (!flags.key.empty()) owner = OwnerKey::load(flags.key).public_key();
  const std::vector<GeneratedFile> files = agent_package(flags.ecosystem, find_target(flags.target), owner);
  for (const GeneratedFile& file : files) {
    std::filesystem::create_directories((folder / file.path).parent_path());
    write_file(folder / file.path, file.text);
  }
  fmt::print("{} files in {}; README.md says how to use them\n", files.size(), flags.output);
}

}  // namespace

void add_device_package(CLI::App& device) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* const command = device.add_subcommand("package", "the agent's sources, for a firmware of your own");
  command->callback([flags] { write_package(*flags); });
  command->add_option("ecosystem", flags->ecosystem, fmt::format("{}", fmt::join(agent_ecosystems(), ", ")))
      ->required();
  command->add_option("--target", flags->target, "the board's core: cortex-m4f, rv32imac, ...")->required();
  command->add_option("--key", flags->key, "a key file (`mote device key new`): the agent obeys its owner only");
  command->add_option("-o,--output", flags->output, "folder")->required();
}

}  // namespace mote::cli
