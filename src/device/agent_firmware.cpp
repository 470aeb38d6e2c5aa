// SPDX-License-Identifier: Apache-2.0
#include "device/agent_firmware.hpp"

#include <algorithm>
#include <map>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"

namespace mote {

namespace fs = std::filesystem;

std::string agent_board(const Target& target) {
  static const std::map<std::string_view, std::string> boards{{"rv32", "virt"}, {"cortex-m", "mps2"}};
  const auto found = boards.find(target.architecture);
  require(found != boards.end(), "there is no emulated board with Mote's agent for {}; rv32imac has one",
          target.name);
  return found->second;
}

std::string owner_source(const std::optional<Key>& owner) {
  const std::string declaration = "#include <stdint.h>\n\nextern const uint8_t* const agent_owner_key;\n\n";
  if (!owner) return declaration + "const uint8_t* const agent_owner_key = nullptr;  // anybody may load\n";
  return declaration + key_as_c_array("static const uint8_t owner_key[32]", *owner) +
         "const uint8_t* const agent_owner_key = owner_key;\n";
}

std::vector<GeneratedFile> monocypher_sources() {
  const std::string fetched = "build/monocypher/";
  const bool there = std::ranges::any_of(
      embedded_files(), [&](const EmbeddedFile& file) { return file.path == fetched + "monocypher.c"; });
  require(there,
          "a keyed firmware needs Monocypher, without which this program was built; "
          "run tools/monocypher.sh build/monocypher and build it anew");
  return {{"monocypher.h", std::string(embedded_file(fetched + "monocypher.h"))},
          {"monocypher.cpp", std::string(embedded_file(fetched + "monocypher.c"))}};
}

AgentFirmware build_agent(const Target& target, const fs::path& directory, const std::optional<Key>& owner) {
  const std::vector<std::string> folders{"agent/", fmt::format("agent/core/{}/", target.architecture),
                                         owner ? "agent/keyed/" : "agent/open/", "agent/boards/",
                                         fmt::format("agent/boards/{}/", agent_board(target))};
  std::vector<std::string> flags{"-Os", "-ffreestanding", "-Werror", "-fno-tree-loop-distribute-patterns",
                                 fmt::format("-DMOTE_AGENT_TARGET=\"{}\"", target.name)};
  append(flags, split_words(target.firmware_flags));
  for (const std::string& folder : folders) flags.push_back("-I" + (directory / folder).string());
  if (target.architecture == "rv32") flags.emplace_back("-msave-restore");  // a sixteenth smaller
  std::vector<std::string> link{std::string(target.linker)};
  append(link, split_words(target.link_flags));
  const AgentFirmware firmware{directory / "agent.elf", {}};
  append(link, {"-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--build-id=sha1",
                "-T" + (directory / folders.back() / "link.ld").string(),
                "-Wl,-Map=" + (directory / "agent.map").string(), "-o", firmware.program.string()});
  const fs::path machine = fmt::format("firmware/{}/machine.hpp", target.architecture);  // the board's counter
  fs::create_directories((directory / machine).parent_path());
  write_file(directory / machine, embedded_file(machine.string()));
  flags.push_back("-I" + (directory / machine).parent_path().string());
  for (const EmbeddedFile& file : embedded_files()) {
    const fs::path path = directory / file.path;
    for (const std::string& folder : folders) {
      if (path.parent_path() != (directory / folder).parent_path()) continue;
      fs::create_directories(path.parent_path());
      write_file(path, file.text);
    }
  }
  if (owner)
    for (const GeneratedFile& file : monocypher_sources())
      write_file(directory / "agent/keyed" / file.path, file.text);
  write_file(directory / folders.back() / "owner_key.cpp", owner_source(owner));
  for (const std::string& folder : folders) {
    for (const fs::directory_entry& entry : fs::directory_iterator(directory / folder)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".S") continue;
      const fs::path object = entry.path().string() + ".o";
      compile_source(target, entry.path(), object, flags);
      link.push_back(object.string());
    }
  }
  run_tool(link, fmt::format("linking the agent for {}", target.name));
  return {firmware.program, read_map_file(read_text(directory / "agent.map"))};
}

std::vector<std::string> agent_command(const Target& target, const fs::path& program, const std::string& serial) {
  require_program(target.emulator, target.emulator_package);
  std::vector<std::string> command{std::string(target.emulator)};
  append(command, split_words(target.emulator_arguments));
  append(command, {"-display", "none", "-monitor", "none", "-serial", serial, "-icount",
                   fmt::format("shift={}", target.icount_shift), "-kernel", program.string()});
  return command;
}

}  // namespace mote
