// SPDX-License-Identifier: Apache-2.0
#include "codegen/package.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/embedded.hpp"

namespace mote {

namespace {

constexpr std::string_view root = "packages/";

using Places = std::map<std::string, std::string>;  // "@name@" -> text

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// Fit for every manifest's syntax: quotes, brackets and control characters go.
std::string plain_text(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_' && c != ' ') c = '?';
  }
  return text;
}

std::string fill(std::string text, const Places& places) {
  for (const auto& [place, value] : places) {
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + value.size())) {
      text.replace(at, place.size(), value);
    }
  }
  return text;
}

// The arenas as arrays of an application. Where a second memory is meant, a macro takes the attribute that puts
// the array there: only the application's linker script knows its sections.
std::string arena_definitions(const std::string& macro, const Plan& plan) {
  const std::vector<Arena> arenas = arenas_of(plan);
  std::string text;
  for (size_t i = 0; i < arenas.size(); ++i) {
    const std::string size = fmt::format("{}_{}", macro, upper(arena_name(i)));
    if (arenas.size() > 1) {
      text += fmt::format("#ifndef {}_PLACE\n#define {}_PLACE  // an attribute that puts it into {}\n#endif\n",
                          size, size, arenas[i].memory.empty() ? "its memory" : plain_text(arenas[i].memory));
    }
    text += fmt::format("alignas({}_ARENA_ALIGN) {}static uint8_t {}[{}_BYTES];\n", macro,
                        arenas.size() > 1 ? size + "_PLACE " : "", arena_name(i), size);
  }
  text.pop_back();
  return text;
}

std::string clear_arenas(const Plan& plan) {
  std::string text;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i)
    text += fmt::format("{}  memset({}, 0, sizeof({}));", i == 0 ? "" : "\n", arena_name(i), arena_name(i));
  return text;
}

std::string how_many_arenas(const Plan& plan) {
  const size_t count = arenas_of(plan).size();
  return count == 1 ? "one arena" : fmt::format("{} arenas", count);
}

Places find_places(const Graph& graph, const Plan& plan, const PackageRequest& request,
                   const std::vector<GeneratedFile>& generated) {
  std::vector<std::string> sources, quoted;
  for (const GeneratedFile& file : generated) {
    if (!file.path.ends_with(".cpp")) continue;
    sources.push_back("src/" + file.path);
    quoted.push_back("\"src/" + file.path + "\"");
  }
  Places places{
      {"@name@", graph.name},
      {"@NAME@", upper(graph.name)},
      {"@model@", plain_text(request.model)},
      {"@version@", MOTE_VERSION},
      {"@optimize@", request.mode == Mode::size ? "-Os" : "-O3"},
      {"@for_size@", request.mode == Mode::size ? "ON" : "OFF"},
      {"@sources@", fmt::format("{}", fmt::join(sources, " "))},
      {"@sources_quoted@", fmt::format("{}", fmt::join(quoted, " "))},
      {"@arenas@", arena_arguments(plan)},
      {"@arena_definitions@", arena_definitions(upper(graph.name), plan)},
      {"@clear_arenas@", clear_arenas(plan)},
      {"@how_many_arenas@", how_many_arenas(plan)},
      {"@arena_bytes@", fmt::format("{}", plan.arena_bytes)},
      {"@memory@", fmt::format("It needs {} bytes of RAM for its {} besides the stack, and {} bytes of "
                               "flash for its weights besides the code.",
                               plan.arena_bytes, arenas_of(plan).size() == 1 ? "arena" : how_many_arenas(plan),
                               flash_data(plan).weight_bytes)}};
  places["@run_once@"] = fill(std::string(embedded_file("packages/run_once.txt")), places);
  return places;
}

}  // namespace

std::vector<std::string> package_ecosystems() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with(root)) continue;
    const std::string_view path = file.path.substr(root.size());
    const std::string_view folder = path.substr(0, path.find('/'));
    if (folder.size() < path.size() && (names.empty() || names.back() != folder)) names.emplace_back(folder);
  }
  return names;
}

std::vector<GeneratedFile> package(const Graph& graph, const Plan& plan, const PackageRequest& request) {
  require(!streams_input(plan),
          "--package: its example fills a whole input, --stream-input takes rows; write plain sources without it");
  const std::vector<std::string> known = package_ecosystems();
  require(std::find(known.begin(), known.end(), request.ecosystem) != known.end(),
          "--package {}: unknown; choose {}", request.ecosystem, fmt::join(known, ", "));
  std::vector<GeneratedFile> files = generate(graph, plan, request.mode);
  const Places places = find_places(graph, plan, request, files);
  for (GeneratedFile& file : files) file.path = "src/" + file.path;
  const std::string folder = std::string(root) + request.ecosystem + "/";
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with(folder)) continue;
    files.push_back({std::string(file.path.substr(folder.size())), fill(std::string(file.text), places)});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace mote
