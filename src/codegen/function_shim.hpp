// SPDX-License-Identifier: Apache-2.0
// The entry of a loaded C or C++ function: source that reads the arguments from a call frame and calls it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mote {

struct ShimValue {
  std::string_view element;  // NumPy's name: "int16"; empty: no result
  int64_t bytes = 0;         // of an element
  int64_t row = 0;           // elements behind one step of the pointer; 0: a value
};

struct FunctionShim {
  std::filesystem::path source;  // absolute
  bool cpp = false;
  std::string function;  // with its namespaces
  std::vector<ShimValue> parameters;
  ShimValue result;
};

// A translation unit that includes the source and defines `mote_entry(void* frame)`. In the frame each parameter
// has 8 bytes: a value's low ones, or an array's offset in the frame as 32 bits, where 0 is the null pointer;
// another 8 hold the offset of the result. Throws Error when no #include can name the source.
[[nodiscard]] std::string function_shim(const FunctionShim& shim);

}  // namespace mote
