// SPDX-License-Identifier: Apache-2.0
// Linking: the target's own linker puts objects at the addresses that a device has given.
#include "device/program.hpp"

#include <elf.h>

#include <algorithm>

#include "agent/frame.hpp"
#include "base/files.hpp"
#include "device/elf.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"

namespace mote {

namespace fs = std::filesystem;

namespace {

constexpr int64_t least_blob_bytes = 256;  // smaller constants stay together
constexpr uint32_t image_alignment = 16;

// Constants of the objects that do not depend on addresses: the weights, for the most part.
std::vector<Layout::Constants> blobs_of(const Program& program) {
  std::vector<Layout::Constants> blobs;
  for (const fs::path& object : program.objects) {
    const ElfFile elf = read_elf(read_file(object), object.filename().string());
    for (const ElfSection& section : elf.sections) {
      const bool constant = (section.flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR)) == SHF_ALLOC;
      const bool named = section.name.starts_with(".rodata.") && section.name.find('*') == std::string::npos;
      if (!constant || !named || section.relocated || section.bytes < least_blob_bytes) continue;
      if (std::ranges::any_of(blobs, [&](const auto& other) { return other.section == section.name; })) continue;
      blobs.push_back({section.name, section.bytes, content_hash(section.content)});
    }
  }
  return blobs;
}

// Output sections: .code, .constants0 (the small ones), .constants1 ... (a blob each), .data. In the script the
// blobs come first: the linker gives an input section to the first that asks for it.
std::string link_script(const Program& program, const Layout& layout, const Addresses& addresses) {
  std::string text = "SECTIONS {\n";
  text += fmt::format("  .code {:#x} : {{ *(.text .text.*) }}\n", addresses.code);
  for (size_t i = 1; i < layout.constants.size(); ++i)
    text += fmt::format("  .constants{} {:#x} : {{ *({}) }}\n", i, addresses.constants.at(i),
                        layout.constants[i].section);
  text += fmt::format(
      "  .constants0 {:#x} : {{\n    *(.rodata .rodata.* .srodata .srodata.*)\n    . = ALIGN(4);\n"
      "    __init_array_start = .;\n    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) .init_array))\n"
      "    __init_array_end = .;\n  }}\n",
      addresses.constants.at(0));
  text += fmt::format(
      "  .stack {:#x} (NOLOAD) : {{ mote_stack_begin = .; . += {}; mote_stack_end = .; }}\n"
      "  .data ADDR(.stack) + SIZEOF(.stack) : {{\n    *(.data .data.* .sdata .sdata.*)\n"
      "    *(.bss .bss.* .sbss .sbss.* COMMON)\n    . = ALIGN({});\n  }}\n"
      "  mote_io = ADDR(.data) + SIZEOF(.data);\n",
      addresses.data, program.stack_bytes, image_alignment);
  return text +
         "  /DISCARD/ : { *(.comment) *(.eh_frame .eh_frame.*) *(.ARM.exidx* .ARM.extab*) *(.note.*) }\n}\n";
}

Bytes link(const Program& program, const std::string& script) {
  const TemporaryDirectory directory;
  const fs::path script_file = directory.path() / "image.ld", output = directory.path() / "image.elf";
  write_file(script_file, script);
  std::vector<std::string> command{std::string(program.target->linker)};
  append(command, split_words(program.target->link_flags));
  append(command, {"-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none",
                   "-T" + script_file.string(), "-Wl,-e," + program.run});
  if (!program.start.empty()) command.push_back("-Wl,-u," + program.start);
  if (!program.firmware.empty()) command.push_back("-Wl,-R," + program.firmware.string());
  for (const fs::path& object : program.objects) command.push_back(object.string());
  append(command, {"-lm", "-o", output.string()});
  run_tool(command, fmt::format("linking {} for {}", program.name, program.target->name));
  return read_file(output);
}

// Places that only serve to learn the sizes: apart, in the same half of the address space as any device's memory.
Addresses provisional(const Layout& layout) {
  Addresses addresses{0x20000000, 0x21000000, {}};
  for (uint32_t at = 0x22000000; const Layout::Constants& constants : layout.constants) {
    addresses.constants.push_back(at);
    at += static_cast<uint32_t>(align_up(constants.bytes + 1, 0x10000));
  }
  return addresses;
}

ImageSection image_section(const ElfFile& elf, const std::string& name, wire::Kind kind, uint32_t address) {
  ImageSection section{kind, name, address, {}, 0, 0};
  if (const ElfSection* const found = elf.section(name)) {
    section.content = found->has_content ? found->content : Bytes(found->bytes);
    section.bytes = found->bytes;
  }
  section.hash = content_hash(section.content);
  return section;
}

}  // namespace

uint64_t content_hash(ByteSpan bytes, uint64_t hash) {
  for (const std::byte byte : bytes) hash = wire::hash_next(hash, std::to_integer<uint8_t>(byte));
  return hash;
}

// Every constant that could be a section of its own.
Layout untrimmed_layout(const Program& program) {
  Layout layout;
  layout.constants = blobs_of(program);
  layout.constants.insert(layout.constants.begin(), Layout::Constants{});
  return layout;
}

Bytes trial_link(const Program& program) {
  const Layout layout = untrimmed_layout(program);
  return link(program, link_script(program, layout, provisional(layout)));
}

Layout layout_of(const Program& program) {
  Layout layout = untrimmed_layout(program);
  const Addresses addresses = provisional(layout);
  const ElfFile elf = read_elf(trial_link(program), program.name);
  const auto size = [&](const std::string& name) {
    const ElfSection* const section = elf.section(name);
    return section == nullptr ? int64_t{0} : int64_t{section->bytes};
  };
  layout.code_bytes = size(".code");
  layout.data_bytes = elf.value("mote_io") - addresses.data + align_up(program.io_bytes, image_alignment);
  layout.constants[0].bytes = size(".constants0");
  std::vector<Layout::Constants> used{layout.constants[0]};  // the linker has dropped what nobody refers to
  for (size_t i = 1; i < layout.constants.size(); ++i)
    if (size(fmt::format(".constants{}", i)) != 0) used.push_back(layout.constants[i]);
  layout.constants = used;
  return layout;
}

Image link_program(const Program& program, const Layout& layout, const Addresses& addresses) {
  Image image;
  image.elf = link(program, link_script(program, layout, addresses));
  const ElfFile elf = read_elf(image.elf, program.name);
  image.sections.push_back(image_section(elf, ".code", wire::Kind::code, addresses.code));
  for (size_t i = 0; i < layout.constants.size(); ++i) {
    ImageSection section =
        image_section(elf, fmt::format(".constants{}", i), wire::Kind::constants, addresses.constants[i]);
    require(section.bytes <= layout.constants[i].bytes || i == 0, "{}: a section has grown while linking",
            program.name);
    if (section.bytes != 0) image.sections.push_back(std::move(section));
  }
  ImageSection data = image_section(elf, ".data", wire::Kind::data, addresses.data);
  image.io = elf.value("mote_io");
  data.bytes = image.io - addresses.data + align_up(program.io_bytes, image_alignment);
  image.sections.push_back(std::move(data));
  image.run = elf.value(program.run);
  image.start = program.start.empty() ? 0 : elf.value(program.start);
  image.stack_begin = elf.value("mote_stack_begin");
  image.stack_end = elf.value("mote_stack_end");
  require(image.sections.front().bytes <= layout.code_bytes && image.sections.back().bytes <= layout.data_bytes,
          "{}: the image has grown while linking", program.name);
  return image;
}

Bytes record_of(const Program& program, const Image& image, uint64_t source) {
  wire::RecordOf header{};
  require(!program.name.empty() && program.name.size() < sizeof header.name,
          "the name '{}' has {} letters; a device takes 1 to {}: give another with --name", program.name,
          program.name.size(), sizeof header.name - 1);
  std::memcpy(header.name, program.name.data(), program.name.size());
  header.source[0] = static_cast<uint32_t>(source);
  header.source[1] = static_cast<uint32_t>(source >> 32);
  header.run = image.run;
  header.start = image.start;
  header.io = image.io;
  header.stack_begin = image.stack_begin;
  header.stack_end = image.stack_end;
  header.flags = program.unprotected ? wire::unprotected : 0;
  header.inputs = narrow<uint8_t>(program.inputs.size());
  header.outputs = narrow<uint8_t>(program.outputs.size());
  header.sections = narrow<uint32_t>(image.sections.size());
  Bytes record;
  const auto add = [&](const auto& value) {
    const auto* const from = reinterpret_cast<const std::byte*>(&value);
    record.insert(record.end(), from, from + sizeof value);
  };
  add(header);
  for (const wire::PlaceOf& place : program.inputs) add(place);
  for (const wire::PlaceOf& place : program.outputs) add(place);
  for (const ImageSection& section : image.sections) {
    const bool data = section.kind == wire::Kind::data;
    add(wire::SectionOf{
        section.address,
        narrow<uint32_t>(section.bytes),
        static_cast<uint32_t>(section.kind),
        {data ? 0 : static_cast<uint32_t>(section.hash), data ? 0 : static_cast<uint32_t>(section.hash >> 32)}});
  }
  return record;
}

uint64_t source_of(const Program& program) {
  uint64_t hash = wire::hash_begin;
  const auto add = [&](ByteSpan bytes) { hash = content_hash(bytes, hash); };
  const std::string text = fmt::format("{} {} {} {} {} {} {}", MOTE_VERSION, program.name, program.run,
                                       program.start, program.io_bytes, program.stack_bytes, program.unprotected);
  add(std::as_bytes(std::span(text)));
  for (const auto* const places : {&program.inputs, &program.outputs}) add(std::as_bytes(std::span(*places)));
  for (const fs::path& object : program.objects) add(read_file(object));
  if (!program.firmware.empty()) add(read_file(program.firmware));
  return hash;
}

}  // namespace mote
