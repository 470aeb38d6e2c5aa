// SPDX-License-Identifier: Apache-2.0
// Sections and symbols of a 32-bit little-endian ELF file: of an object, or of a linked image.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace mote {

struct ElfSection {
  std::string name;
  uint32_t address = 0, bytes = 0, flags = 0;  // SHF_...
  bool has_content = false;                    // .bss has none
  bool relocated = false;                      // of an object: its bytes depend on addresses
  Bytes content;
};

struct ElfSymbol {
  std::string name;
  uint32_t value = 0, bytes = 0;
  bool function = false;
};

struct ElfFile {
  std::vector<ElfSection> sections;
  std::vector<ElfSymbol> symbols;

  [[nodiscard]] const ElfSection* section(std::string_view name) const;  // nullptr: there is none
  [[nodiscard]] uint32_t value(std::string_view symbol) const;           // throws Error when there is none
};

// The build id in hexadecimal, as DeviceInfo has the firmware's; empty: the file has none.
[[nodiscard]] std::string build_id(const ElfFile& elf);

// Throws Error, which begins with `name`, unless the file is one.
[[nodiscard]] ElfFile read_elf(ByteSpan file, const std::string& name);

}  // namespace mote
