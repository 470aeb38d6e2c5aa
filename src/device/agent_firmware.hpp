// SPDX-License-Identifier: Apache-2.0
// Mote's agent as the firmware of an emulated board.
#pragma once

#include <filesystem>
#include <optional>

#include "codegen/codegen.hpp"
#include "device/keys.hpp"
#include "device/transport.hpp"
#include "emulate/map_file.hpp"

namespace mote {

struct AgentFirmware {
  std::filesystem::path program;  // ELF file
  std::vector<MapSection> sections;
};

// The folder of agent/boards/ for the target's emulator. Throws Error for targets that have none.
[[nodiscard]] std::string agent_board(const Target& target);

// Compiles and links it into `directory`; with a key, it obeys its owner only. Throws Error for targets that have
// no emulated board.
[[nodiscard]] AgentFirmware build_agent(const Target& target, const std::filesystem::path& directory,
                                        const std::optional<Key>& owner = std::nullopt);

// The definition of agent_owner_key, which every firmware has.
[[nodiscard]] std::string owner_source(const std::optional<Key>& owner);

// What a keyed agent needs besides agent/keyed; no part of Mote's sources, but of a program that was built when
// the setup had fetched it. Throws Error otherwise.
[[nodiscard]] std::vector<GeneratedFile> monocypher_sources();

// What starts the emulator with that firmware; `serial` is QEMU's: "stdio", "tcp::5555,server", "pty".
[[nodiscard]] std::vector<std::string> agent_command(const Target& target, const std::filesystem::path& program,
                                                     const std::string& serial);

}  // namespace mote
