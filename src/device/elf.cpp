// SPDX-License-Identifier: Apache-2.0
#include "device/elf.hpp"

#include <elf.h>

namespace mote {
namespace {

class Reader {
 public:
  Reader(ByteSpan file, const std::string& name) : file_(file), name_(name) {}

  ByteSpan bytes(uint64_t from, uint64_t count) const {
    require(from <= file_.size() && file_.size() - from >= count, "{}: the ELF file is cut off", name_);
    return file_.subspan(from, count);
  }
  template <class T>
  T at(uint64_t from) const {
    T value;
    std::memcpy(&value, bytes(from, sizeof value).data(), sizeof value);
    return value;
  }
  // A NUL-terminated text.
  std::string text(const Elf32_Shdr& table, uint32_t from) const {
    const ByteSpan all = bytes(table.sh_offset, table.sh_size);
    require(from < all.size(), "{}: a name lies outside its table", name_);
    const auto* const begin = reinterpret_cast<const char*>(all.data()) + from;
    return std::string(begin, strnlen(begin, all.size() - from));
  }

 private:
  ByteSpan file_;
  const std::string& name_;
};

}  // namespace

const ElfSection* ElfFile::section(std::string_view name) const {
  for (const ElfSection& section : sections)
    if (section.name == name) return &section;
  return nullptr;
}

uint32_t ElfFile::value(std::string_view symbol) const {
  for (const ElfSymbol& candidate : symbols)
    if (candidate.name == symbol) return candidate.value;
  fail("the linked image has no symbol '{}'", symbol);
}

// A note: sizes of name and content, type, the name "GNU", the content.
std::string build_id(const ElfFile& elf) {
  constexpr size_t content_at = 16;
  const ElfSection* const note = elf.section(".note.gnu.build-id");
  std::string text;
  for (size_t i = content_at; note != nullptr && i < note->content.size(); ++i)
    text += fmt::format("{:02x}", std::to_integer<int>(note->content[i]));
  return text;
}

ElfFile read_elf(ByteSpan file, const std::string& name) {
  const Reader reader(file, name);
  require(file.size() >= sizeof(Elf32_Ehdr) && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0, "{}: no ELF file",
          name);
  const auto header = reader.at<Elf32_Ehdr>(0);
  require(header.e_ident[EI_CLASS] == ELFCLASS32 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
              header.e_shentsize == sizeof(Elf32_Shdr) && header.e_shstrndx < header.e_shnum,
          "{}: no 32-bit little-endian ELF file", name);
  std::vector<Elf32_Shdr> headers;
  for (uint32_t i = 0; i < header.e_shnum; ++i)
    headers.push_back(reader.at<Elf32_Shdr>(header.e_shoff + uint64_t{i} * sizeof(Elf32_Shdr)));
  ElfFile elf;
  for (const Elf32_Shdr& of : headers) {
    ElfSection section{reader.text(headers[header.e_shstrndx], of.sh_name),
                       of.sh_addr,
                       of.sh_size,
                       of.sh_flags,
                       false,
                       false,
                       {}};
    section.has_content = of.sh_type != SHT_NOBITS && of.sh_type != SHT_NULL;
    if (section.has_content) {
      const ByteSpan content = reader.bytes(of.sh_offset, of.sh_size);
      section.content.assign(content.begin(), content.end());
    }
    elf.sections.push_back(std::move(section));
  }
  for (const Elf32_Shdr& of : headers) {
    if ((of.sh_type == SHT_RELA || of.sh_type == SHT_REL) && of.sh_info < elf.sections.size() && of.sh_size != 0)
      elf.sections[of.sh_info].relocated = true;
    if (of.sh_type != SHT_SYMTAB || of.sh_link >= headers.size()) continue;
    for (uint32_t at = 0; at + sizeof(Elf32_Sym) <= of.sh_size; at += sizeof(Elf32_Sym)) {
      const auto symbol = reader.at<Elf32_Sym>(uint64_t{of.sh_offset} + at);
      elf.symbols.push_back({reader.text(headers[of.sh_link], symbol.st_name), symbol.st_value, symbol.st_size,
                             ELF32_ST_TYPE(symbol.st_info) == STT_FUNC});
    }
  }
  return elf;
}

}  // namespace mote
