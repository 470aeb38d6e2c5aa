// SPDX-License-Identifier: Apache-2.0
// What the linker kept: GNU ld's map file, and whose bytes they are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

// One input section; in flash with the padding that follows it.
struct MapSection {
  std::string output;  // ".text"
  std::string name;    // ".text._ZL14digits_step3_Pv"
  std::string file;    // "model.o", "/usr/lib/…/libgcc.a(_divsf3.o)"
  int64_t bytes = 0;
  uint64_t address = 0;
};

// The sections that occupy memory of the target, in address order.
[[nodiscard]] std::vector<MapSection> read_map_file(std::string_view text);

// Bytes of flash that are no weights.
[[nodiscard]] bool is_code(const MapSection& section);

struct Footprint {
  int64_t code_bytes = 0;         // text and read-only data the model needs: its own, and library members
  int64_t weight_bytes = 0;       // sections with `_weights_` in their name
  int64_t ram_bytes = 0;          // variables of the model itself: its arena is the caller's
  int64_t library_ram_bytes = 0;  // variables of library members it needs, such as errno of libm
  int64_t harness_bytes = 0;      // text and read-only data of the firmware around it
  std::vector<int64_t>
      step_code_bytes;  // functions NAME_step<i>; 0 where there is none or the compiler inlined it
  std::map<std::string, int64_t> shared_code_bytes;  // functions that steps have in common, with clones of them
  std::vector<std::string> ram_owners;               // sections that make ram_bytes
};

// The index i of a symbol or section name that contains NAME_step<i>, mangled or not.
[[nodiscard]] std::optional<size_t> step_index(std::string_view symbol, std::string_view model_name);

// Whether this is the mangled name of a function that is called so, or of a clone of it.
[[nodiscard]] bool is_symbol_of(std::string_view mangled, std::string_view function);

// `shared`: for each step the function that it has in common with others, or empty.
[[nodiscard]] Footprint attribute(const std::vector<MapSection>& sections, std::string_view model_name,
                                  size_t steps, const std::vector<std::string>& shared = {});

}  // namespace mote
