// SPDX-License-Identifier: Apache-2.0
#include "device/agent_package.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/embedded.hpp"
#include "device/agent_firmware.hpp"

namespace mote {

namespace {

constexpr std::string_view root = "agent/packages/";

using Places = std::map<std::string, std::string>;  // "@target@" -> text

// The text behind the folder, "" for files elsewhere.
std::string inside(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) ? std::string(path.substr(folder.size())) : "";
}

// Adds the files of the folder itself, not of those in it.
void add_folder(std::vector<GeneratedFile>& files, const std::string& folder, const std::string& to) {
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string name = inside(file.path, folder);
    if (!name.empty() && name.find('/') == std::string::npos) files.push_back({to + name, std::string(file.text)});
  }
}

std::string filled(std::string text, const Places& places) {
  for (const auto& [place, value] : places)
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size()))
      text.replace(at, place.size(), value);
  return text;
}

// On ESP-IDF the system has the processor, so that all its cores are alike.
std::string core_of(std::string_view ecosystem, const Target& target) {
  if (ecosystem == "esp-idf" && target.architecture == "rv32") return "esp-idf";
  const bool fits = ecosystem == "cmake" || (ecosystem == "arduino" && target.architecture == "cortex-m");
  const std::string core(target.architecture);
  const bool there = std::ranges::any_of(embedded_files(), [&](const EmbeddedFile& file) {
    return file.path == fmt::format("agent/core/{}/core_registers.hpp", core);
  });
  require(
      fits && there,
      "{}: there is no agent of the ecosystem {} for this core; cmake has cortex-m and rv32, arduino cortex-m, "
      "esp-idf rv32",
      target.name, ecosystem);
  return core;
}

Places places_of(const std::vector<GeneratedFile>& files, const std::string& core, const Target& target) {
  std::vector<std::string> sources, quoted;
  for (const GeneratedFile& file : files) {
    const bool source = file.path.ends_with(".cpp") || file.path.ends_with(".S");
    if (!source || !file.path.starts_with("src/")) continue;
    sources.push_back(file.path);
    quoted.push_back("\"" + file.path + "\"");
  }
  return {{"@version@", MOTE_VERSION},
          {"@core@", core},
          {"@target@", std::string(target.name)},
          {"@sources@", fmt::format("{}", fmt::join(sources, " "))},
          {"@sources_quoted@", fmt::format("{}", fmt::join(quoted, " "))},
          {"@compiler@", std::string(target.compiler)},
          {"@linker@", std::string(target.linker)},
          {"@flags@", fmt::format("{} {}", target.compile_flags, target.firmware_flags)},
          {"@link_flags@", std::string(target.link_flags)},
          {"@emulator@", fmt::format("{} {} -nographic -icount shift={} -kernel", target.emulator,
                                     target.emulator_arguments, target.icount_shift)}};
}

}  // namespace

std::vector<std::string> agent_ecosystems() {
  std::set<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string path = inside(file.path, root);
    if (!path.empty()) names.insert(path.substr(0, path.find('/')));
  }
  return {names.begin(), names.end()};
}

std::vector<GeneratedFile> agent_package(std::string_view ecosystem, const Target& target,
                                         const std::optional<Key>& owner) {
  const std::vector<std::string> known = agent_ecosystems();
  require(std::ranges::find(known, ecosystem) != known.end(), "{}: an unknown ecosystem; choose {}", ecosystem,
          fmt::join(known, ", "));
  const std::string core = core_of(ecosystem, target);
  require(!owner || ecosystem != "arduino",
          "arduino: its cores have no common source of random bytes, which a keyed agent needs; take the cmake "
          "package "
          "and write Board::random for your chip");
  std::vector<GeneratedFile> files, layout;
  for (const std::string& folder :
       {std::string("agent/"), std::string(owner ? "agent/keyed/" : "agent/open/"), "agent/core/" + core + "/"})
    add_folder(files, folder, "src/");
  if (owner)
    for (const GeneratedFile& file : monocypher_sources()) files.push_back({"src/" + file.path, file.text});
  if (ecosystem == "esp-idf") files.push_back({"src/owner_key.cpp", owner_source(owner)});
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string path = inside(file.path, fmt::format("{}{}/", root, ecosystem));
    if (!path.empty()) layout.push_back({path, std::string(file.text)});
  }
  files.insert(files.end(), layout.begin(), layout.end());
  const Places places = places_of(files, core, target);
  for (GeneratedFile& file : files)
    if (!file.path.starts_with("src/")) file.text = filled(file.text, places);
  if (ecosystem == "cmake") {  // the example is the emulated board's firmware
    add_folder(files, fmt::format("agent/boards/{}/", agent_board(target)), "example/");
    files.push_back({"example/firmware.hpp", std::string(embedded_file("agent/boards/firmware.hpp"))});
    const std::string machine = fmt::format("firmware/{}/machine.hpp", core);
    files.push_back({"example/machine.hpp", std::string(embedded_file(machine))});
    files.push_back({"example/owner_key.cpp", owner_source(owner)});
  }
  std::ranges::sort(files, {}, &GeneratedFile::path);
  return files;
}

}  // namespace mote
