// SPDX-License-Identifier: Apache-2.0
#include "device/introspect.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/nearest.hpp"
#include "base/text.hpp"
#include "emulate/call_graph.hpp"
#include "emulate/process.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds tool_timeout{120};
constexpr size_t shown_functions = 20, shown_relocations = 20, shown_names = 5, bar_width = 24;

std::string run(const Target& target, const char* tool, std::vector<std::string> arguments,
                const fs::path& program) {
  require(!target.tools.empty(), "{} is no device; choose a target that is one (`mote targets`)", target.name);
  require(fs::is_regular_file(program), "{}: there is no such file", program.string());
  const std::string name = std::string(target.tools) + tool;
  require_program(name, target.compiler_packages);
  arguments.insert(arguments.begin(), name);
  arguments.push_back(program.string());
  const ProcessResult result = run_process(arguments, tool_timeout);
  require(!result.timed_out, "{}: {} did not end within {} s", program.string(), name, tool_timeout.count());
  require(result.exit_status == 0, "{}: {} cannot read it: {}", program.string(), name, tail(result.errors, 3));
  return result.output;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

uint64_t hexadecimal(const std::string& text) {
  size_t used = 0;
  uint64_t value = 0;
  try {
    value = std::stoull(text, &used, 16);
  } catch (const std::exception&) {
    used = 0;
  }
  require(used == text.size() && used != 0, "binutils print '{}' where a number should be", text);
  return value;
}

bool all_hexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// objdump -h -w: "  0 .text  000042ca  80000000  80000000  00001000  2**1  CONTENTS, ALLOC, LOAD, READONLY, CODE"
std::vector<ProgramSection> read_sections(std::string_view text) {
  std::vector<ProgramSection> sections;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() < 7 || words[0].find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string flags = fmt::format("{}", fmt::join(words.begin() + 7, words.end(), " ")) + ",";
    const auto has = [&](const char* flag) { return flags.find(std::string(flag) + ",") != std::string::npos; };
    sections.push_back({words[1], hexadecimal(words[3]), static_cast<int64_t>(hexadecimal(words[2])), has("ALLOC"),
                        has("CODE"), has("ALLOC") && !has("READONLY"), has("CONTENTS")});
  }
  return sections;
}

// nm -p -S: "80000006 0000001a W name", or without a size.
ProgramSymbol read_symbol(std::string_view line) {
  const std::vector<std::string> words = split_words(line);
  const bool sized = words.size() > 3 && all_hexadecimal(words[1]) && words[2].size() == 1;
  require(words.size() >= (sized ? 4U : 3U), "binutils print '{}' where a symbol should be", line);
  const std::string& kind = words[sized ? 2 : 1];
  ProgramSymbol symbol;
  symbol.address = hexadecimal(words[0]);
  symbol.bytes = sized ? static_cast<int64_t>(hexadecimal(words[1])) : 0;
  symbol.kind = kind[0];
  symbol.name = line.substr(line.find(" " + kind + " ") + 3);
  return symbol;
}

std::vector<ProgramSymbol> read_symbols(const fs::path& program, const Target& target) {
  const std::string names = run(target, "nm", {"-p", "-S", "--defined-only"}, program);
  const std::string signatures = run(target, "nm", {"-p", "-S", "-C", "--defined-only"}, program);
  const std::vector<std::string_view> plain = lines_of(names), written = lines_of(signatures);
  require(plain.size() == written.size(), "{}: {}nm lists {} names and {} signatures", program.string(),
          target.tools, plain.size(), written.size());
  std::vector<ProgramSymbol> symbols;
  for (size_t i = 0; i < plain.size(); ++i) {
    ProgramSymbol symbol = read_symbol(plain[i]);
    symbol.signature = read_symbol(written[i]).name;
    symbols.push_back(std::move(symbol));
  }
  std::ranges::stable_sort(symbols, {}, &ProgramSymbol::address);
  return symbols;
}

// objdump -r -w: "RELOCATION RECORDS FOR [.text]:", then "OFFSET TYPE VALUE" and lines of these.
std::vector<ProgramRelocation> read_relocations(std::string_view text) {
  constexpr std::string_view head = "RELOCATION RECORDS FOR [";
  std::vector<ProgramRelocation> relocations;
  std::string section;
  for (const std::string_view line : lines_of(text)) {
    if (line.starts_with(head)) section = line.substr(head.size(), line.rfind(']') - head.size());
    const std::vector<std::string> words = split_words(line);
    if (section.empty() || words.size() < 3 || !all_hexadecimal(words[0])) continue;
    // Of debug information, and notes for the linker's own savings.
    if (section.starts_with(".debug") || words[1] == "R_RISCV_RELAX") continue;
    relocations.push_back({section, hexadecimal(words[0]), words[1],
                           fmt::format("{}", fmt::join(words.begin() + 2, words.end(), " "))});
  }
  return relocations;
}

std::string kind_of(const ProgramSection& section) {
  if (section.executable) return "code";
  if (!section.writable) return "constants";
  return section.has_content ? "variables" : "variables of zero";
}

std::vector<ProgramSection> memory_map(const ProgramFacts& facts) {
  std::vector<ProgramSection> map;
  for (const ProgramSection& section : facts.sections) {
    if (section.allocated && section.bytes > 0) map.push_back(section);
  }
  std::ranges::stable_sort(map, {}, &ProgramSection::address);
  return map;
}

// Names that a person may give: "dsp::fir(short)", "dsp::fir", "_ZN3dsp3firEs".
bool is_called(const ProgramSymbol& symbol, const std::string& name) {
  return symbol.name == name || symbol.signature == name || symbol.signature.starts_with(name + "(");
}

}  // namespace

bool ProgramSymbol::is_code() const { return kind == 't' || kind == 'T' || kind == 'W' || kind == 'w'; }

ProgramFacts introspect(const fs::path& program, const Target& target) {
  ProgramFacts facts;
  facts.sections = read_sections(run(target, "objdump", {"-h", "-w"}, program));
  facts.symbols = read_symbols(program, target);
  facts.relocations = read_relocations(run(target, "objdump", {"-r", "-w", "-C"}, program));
  return facts;
}

std::vector<ProgramSymbol> functions_by_size(const ProgramFacts& facts) {
  std::vector<ProgramSymbol> functions;
  std::set<uint64_t> seen;  // other names of the same function
  for (const ProgramSymbol& symbol : facts.symbols) {
    if (symbol.is_code() && symbol.bytes > 0 && seen.insert(symbol.address).second) functions.push_back(symbol);
  }
  std::ranges::stable_sort(functions, std::greater(), &ProgramSymbol::bytes);
  return functions;
}

std::string to_text(const ProgramFacts& facts) {
  std::string text = "memory map\n";
  const std::vector<ProgramSection> map = memory_map(facts);
  int64_t most = 1;
  for (const ProgramSection& section : map) most = std::max(most, section.bytes);
  for (const ProgramSection& section : map) {
    text += fmt::format("  {:#010x} {:>10} B  {:{}} {:20} {}\n", section.address, thousands(section.bytes),
                        bar(static_cast<double>(section.bytes) / static_cast<double>(most), bar_width), bar_width,
                        section.name, kind_of(section));
  }
  const std::vector<ProgramSymbol> functions = functions_by_size(facts);
  text += fmt::format("functions ({})\n", functions.size());
  for (size_t i = 0; i < std::min(functions.size(), shown_functions); ++i) {
    text += fmt::format("  {:#010x} {:>10} B  {}\n", functions[i].address, thousands(functions[i].bytes),
                        functions[i].signature);
  }
  if (functions.size() > shown_functions)
    text += fmt::format("  and {} smaller ones\n", functions.size() - shown_functions);
  if (facts.relocations.empty()) return text;
  text += fmt::format("relocations ({})\n", facts.relocations.size());
  for (size_t i = 0; i < std::min(facts.relocations.size(), shown_relocations); ++i) {
    const ProgramRelocation& one = facts.relocations[i];
    text += fmt::format("  {} + {:#x}: {} {}\n", one.section, one.offset, one.type, one.value);
  }
  if (facts.relocations.size() > shown_relocations) {
    text += fmt::format("  and {} more\n", facts.relocations.size() - shown_relocations);
  }
  return text;
}

nlohmann::ordered_json to_json(const ProgramFacts& facts) {
  nlohmann::ordered_json json{{"sections", nlohmann::ordered_json::array()},
                              {"symbols", nlohmann::ordered_json::array()},
                              {"relocations", nlohmann::ordered_json::array()}};
  for (const ProgramSection& one : facts.sections) {
    json["sections"].push_back({{"name", one.name},
                                {"address", one.address},
                                {"bytes", one.bytes},
                                {"allocated", one.allocated},
                                {"kind", one.allocated ? kind_of(one) : "not on the device"}});
  }
  for (const ProgramSymbol& one : facts.symbols) {
    json["symbols"].push_back({{"name", one.name},
                               {"signature", one.signature},
                               {"kind", std::string(1, one.kind)},
                               {"code", one.is_code()},
                               {"address", one.address},
                               {"bytes", one.bytes}});
  }
  for (const ProgramRelocation& one : facts.relocations) {
    json["relocations"].push_back(
        {{"section", one.section}, {"offset", one.offset}, {"type", one.type}, {"value", one.value}});
  }
  return json;
}

std::string disassemble(const fs::path& program, const Target& target, const std::string& function) {
  std::vector<std::string> arguments{"-S", "-C", "--no-show-raw-insn"};
  if (function.empty()) {
    arguments.emplace_back("-d");
  } else {
    std::vector<std::string> names;
    for (const ProgramSymbol& symbol : read_symbols(program, target)) {
      if (symbol.is_code()) names.push_back(symbol.signature.substr(0, symbol.signature.find('(')));
      // binutils compare what -C makes of a name.
      if (symbol.is_code() && is_called(symbol, function))
        arguments.push_back("--disassemble=" + symbol.signature);
    }
    if (arguments.size() == 3) {
      names = nearest_first(function, std::move(names));
      names.resize(std::min(names.size(), shown_names));
      fail("{}: there is no function '{}'; there is {}", program.string(), function,
           names.empty() ? "none at all" : fmt::format("{}", fmt::join(names, ", ")));
    }
    arguments.resize(4);  // binutils show one; aliases have the same instructions
  }
  return run(target, "objdump", arguments, program);
}

StackUse stack_use(const fs::path& program, const Target& target, const std::string& function,
                   const std::vector<fs::path>& frames) {
  std::map<std::string, CompilerFrame, std::less<>> known;
  for (const fs::path& file : frames) read_callgraph_info(read_text(file), known);
  const std::string instructions = run(target, "objdump", {"-d", "--no-show-raw-insn"}, program);
  try {
    return {stack_bound(read_call_graph(instructions, target.architecture, known), function), ""};
  } catch (const Error& problem) {
    return {std::nullopt, problem.what()};
  }
}

}  // namespace mote
