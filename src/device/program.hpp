// SPDX-License-Identifier: Apache-2.0
// What shall run on a device, compiled but not yet at an address: objects, an entry, and the places of its data.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agent/protocol.hpp"
#include "base/temporary_directory.hpp"
#include "codegen/codegen.hpp"
#include "compile/compile.hpp"
#include "target/target.hpp"

namespace mote {

// What a core pushes on the stack of the code that it interrupts: nothing on RV32; on Cortex-M a frame of 26 words
// with its alignment.
constexpr int64_t interrupt_frame_bytes = 128;

struct Program {
  std::string name;  // the model serves under it; at most wire::name_bytes - 1 letters
  const Target* target = nullptr;
  std::vector<std::filesystem::path> objects;
  std::string run, start;                               // symbols: void f(void* io); start may be empty
  int64_t io_bytes = 0;                                 // the block that io points to: a model's arena
  std::vector<wire::PlaceOf> inputs, outputs;           // in io
  int64_t stack_bytes = 0;                              // with what the core pushes there by itself
  bool unprotected = false;                             // runs with the firmware's rights
  std::filesystem::path firmware;                       // ELF file whose symbols it may use; empty: none
  std::shared_ptr<const TemporaryDirectory> directory;  // where the objects lie; may be null
};

// Generates, compiles, and finds the stack bound. Throws Error where the model cannot be loaded so (several
// arenas, pushed input).
[[nodiscard]] Program compile_for_device(const Compiled& model, const Target& target, Mode mode);

// A section of the linked image.
struct ImageSection {
  wire::Kind kind = wire::Kind::constants;
  std::string name;
  uint32_t address = 0;
  Bytes content;      // what is sent; of data, the part with initial values
  int64_t bytes = 0;  // with what is not sent
  uint64_t hash = 0;
};

struct Image {
  std::vector<ImageSection> sections;  // code, constants, weights ..., data
  uint32_t run = 0, start = 0, io = 0, stack_begin = 0, stack_end = 0;
  Bytes elf;  // for symbols and disassembly
};

// Where sections shall lie; the order and number of `constants` are those of Layout::constants.
struct Addresses {
  uint32_t code = 0, data = 0;
  std::vector<uint32_t> constants;
};

// What linking needs to know about the objects before there are addresses.
struct Layout {
  int64_t code_bytes = 0, data_bytes = 0;
  struct Constants {
    std::string section;  // of the objects; empty: all the small ones
    int64_t bytes = 0;
    uint64_t hash = 0;  // 0: not known before it is linked
  };
  std::vector<Constants> constants;
};

[[nodiscard]] Layout layout_of(const Program& program);
[[nodiscard]] Image link_program(const Program& program, const Layout& layout, const Addresses& addresses);
// Linked to any addresses, for what only a linked program tells.
[[nodiscard]] Bytes trial_link(const Program& program);
// wire::RecordOf and what follows it.
[[nodiscard]] Bytes record_of(const Program& program, const Image& image, uint64_t source);
// Names what the program was made of: objects, entries, places.
[[nodiscard]] uint64_t source_of(const Program& program);
[[nodiscard]] uint64_t content_hash(ByteSpan bytes, uint64_t hash = wire::hash_begin);

}  // namespace mote
