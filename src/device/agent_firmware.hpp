// SPDX-License-Identifier: Apache-2.0
// Mote's agent as the firmware of an emulated board.
#pragma once

#include <filesystem>
#include <optional>

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

// What starts the emulator with that firmware; `serial` is QEMU's: "stdio", "tcp::5555,server", "pty".
[[nodiscard]] std::vector<std::string> agent_command(const Target& target, const std::filesystem::path& program,
                                                     const std::string& serial);

}  // namespace mote
