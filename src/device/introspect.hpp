// SPDX-License-Identifier: Apache-2.0
// What is inside an image or an object: sections, symbols, relocations, instructions, stack; from the target's
// binutils.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "target/target.hpp"

namespace mote {

struct ProgramSection {
  std::string name;
  uint64_t address = 0;
  int64_t bytes = 0;
  bool allocated = false;  // occupies memory of the device
  bool executable = false, writable = false;
  bool has_content = false;  // .bss has none
};

struct ProgramSymbol {
  std::string name;  // as the linker knows it
  std::string
      signature;    // as C++ writes it: "dsp::fir(short const*, unsigned int)"; the name where it has no other
  char kind = '?';  // the letter of nm: t code, r constants, d variables, b variables of zero; w, v: weak
  uint64_t address = 0;
  int64_t bytes = 0;  // 0: not known

  [[nodiscard]] bool is_code() const;
};

struct ProgramRelocation {  // of objects; an image that is linked has none
  std::string section;
  uint64_t offset = 0;
  std::string type;   // "R_RISCV_CALL_PLT"
  std::string value;  // symbol and addend
};

struct ProgramFacts {
  std::vector<ProgramSection> sections;
  std::vector<ProgramSymbol> symbols;  // by address
  std::vector<ProgramRelocation> relocations;
};

// Throws Error when the file is none of the target's, or its binutils are missing.
[[nodiscard]] ProgramFacts introspect(const std::filesystem::path& program, const Target& target);

// Functions with their sizes, the largest first.
[[nodiscard]] std::vector<ProgramSymbol> functions_by_size(const ProgramFacts& facts);

// Sections, memory map, sizes by function, relocations: for people, and the same for programs.
[[nodiscard]] std::string to_text(const ProgramFacts& facts);
[[nodiscard]] nlohmann::ordered_json to_json(const ProgramFacts& facts);

// Instructions between the source lines that they come from, where the program has debug information. `function`:
// a name with or without its parameters; empty: all. Throws Error that lists similar names when there is none.
[[nodiscard]] std::string disassemble(const std::filesystem::path& program, const Target& target,
                                      const std::string& function);

struct StackUse {
  std::optional<int64_t> bytes;  // no call of the function can take more from the stack
  std::string problem;           // why that is not known: recursion, a call through a pointer
};

// Of a linked program. `frames`: what gcc's -fcallgraph-info=su wrote, by file.
[[nodiscard]] StackUse stack_use(const std::filesystem::path& program, const Target& target,
                                 const std::string& function, const std::vector<std::filesystem::path>& frames);

}  // namespace mote
