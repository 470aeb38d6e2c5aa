// SPDX-License-Identifier: Apache-2.0
#include "emulate/map_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "emulate/process.hpp"

namespace mote {
namespace {

std::optional<int64_t> parse_hexadecimal(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<int64_t>(value);
}

bool is_ram(const MapSection& section) {
  return section.output == ".data" || section.output == ".bss" || section.output == ".tdata" ||
         section.output == ".tbss";
}

// Lines of the form " .text.name  0xADDRESS  0xSIZE  file"; a long name stands on a line of its own.
class MapReader {
 public:
  void line(std::string_view text) {
    if (text.starts_with('.'))
      start_output(text);
    else if (text.starts_with(" *fill*"))
      add_padding(text);
    else if (text.starts_with(" .") || text.starts_with(" COMMON"))
      start_section(text);
    else if (text.starts_with("                ") && !name_.empty())
      add_section(split_words(text), 0);
    else
      name_.clear();
  }

  std::vector<MapSection> sections;

 private:
  void start_output(std::string_view text) {
    output_ = std::string(text.substr(0, text.find(' ')));
    name_.clear();
  }

  void start_section(std::string_view text) {
    const std::vector<std::string> words = split_words(text);
    name_ = words[0];
    if (words.size() > 1) add_section(words, 1);
  }

  void add_section(const std::vector<std::string>& words, size_t first) {
    if (words.size() >= first + 3) {
      const auto address = parse_hexadecimal(words[first]), bytes = parse_hexadecimal(words[first + 1]);
      if (address && bytes && *bytes > 0) {
        std::string file = words[first + 2];
        for (size_t i = first + 3; i < words.size(); ++i) file += " " + words[i];
        sections.push_back({output_, name_, file, *bytes, static_cast<uint64_t>(*address)});
      }
    }
    name_.clear();
  }

  void add_padding(std::string_view text) {
    const std::vector<std::string> words = split_words(text);
    const auto bytes = words.size() >= 3 ? parse_hexadecimal(words[2]) : std::nullopt;
    const bool same = !sections.empty() && sections.back().output == output_;
    if (bytes && same && !is_ram(sections.back())) sections.back().bytes += *bytes;
  }

  std::string output_, name_;
};

bool occupies_memory(const MapSection& section) {
  for (std::string_view name : {".text", ".rodata", ".weights", ".data", ".bss", ".tdata", ".tbss", ".literal"}) {
    if (section.output == name) return true;
  }
  return false;
}

}  // namespace

bool is_code(const MapSection& section) {
  return !is_ram(section) && section.name.find("_weights_") == std::string::npos;
}

std::vector<MapSection> read_map_file(std::string_view text) {
  const size_t begin = text.find("Linker script and memory map");
  require(begin != std::string_view::npos, "the linker's map file has no memory map");
  text.remove_prefix(begin);
  MapReader reader;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::erase_if(reader.sections, [](const MapSection& section) { return !occupies_memory(section); });
  require(!reader.sections.empty(), "the linker's map file lists no sections");
  return reader.sections;
}

std::optional<size_t> step_index(std::string_view symbol, std::string_view model_name) {
  const std::string marker = std::string(model_name) + "_step";
  const size_t found = symbol.find(marker);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view digits = symbol.substr(found + marker.size());
  size_t index = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return status == std::errc{} ? std::optional<size_t>(index) : std::nullopt;
}

bool is_symbol_of(std::string_view mangled, std::string_view function) {
  return mangled.find(fmt::format("{}{}", function.size(), function)) != std::string_view::npos;
}

Footprint attribute(const std::vector<MapSection>& sections, std::string_view model_name, size_t steps,
                    const std::vector<std::string>& shared) {
  Footprint footprint;
  footprint.step_code_bytes.resize(steps);
  for (const MapSection& section : sections) {
    const std::string file = std::filesystem::path(section.file).filename().string();
    if (file == "mote_start.o" || file == "mote_main.o") {
      if (!is_ram(section)) footprint.harness_bytes += section.bytes;
    } else if (is_ram(section)) {
      const bool model = file == "model.o";
      (model ? footprint.ram_bytes : footprint.library_ram_bytes) += section.bytes;
      if (model) footprint.ram_owners.push_back(section.name);
    } else if (section.name.find("_weights_") != std::string::npos) {
      footprint.weight_bytes += section.bytes;
    } else {
      footprint.code_bytes += section.bytes;
      const auto common = std::find_if(shared.begin(), shared.end(), [&](const std::string& function) {
        return !function.empty() && is_symbol_of(section.name, function);
      });
      const auto step = step_index(section.name, model_name);
      if (common != shared.end())
        footprint.shared_code_bytes[*common] += section.bytes;
      else if (step && *step < steps)
        footprint.step_code_bytes[*step] += section.bytes;
    }
  }
  return footprint;
}

}  // namespace mote
