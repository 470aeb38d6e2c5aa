// SPDX-License-Identifier: Apache-2.0
// What a C or C++ function takes and returns, read from its source with the types of a target.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "device/scalar.hpp"
#include "target/target.hpp"

namespace mote {

// A function that shall run on a device, and how its source is to be read and compiled.
struct FunctionRequest {
  std::filesystem::path source;                     // .c; .cpp, .cc, .cxx: C++
  std::string function;                             // "fir", "dsp::fir"
  std::vector<std::filesystem::path> more_sources;  // compiled beside it
  std::vector<std::filesystem::path> includes;      // folders of headers
  std::vector<std::string> defines;                 // "TAPS=8"
  std::string standard;                             // "c++20"; empty: the compiler's own
  std::string flags;                                // for the compiler: "-O3 -funroll-loops"
  std::vector<std::string> outputs;                 // arrays that the function only writes
};

enum class Language { c, cpp };

// By the file's extension. Throws Error when it is neither's.
[[nodiscard]] Language language_of(const std::filesystem::path& source);

enum class Passing {
  value,
  in,     // an array that the function may only read
  inout,  // an array that it reads and writes
  out,    // an array that it only writes: nothing is sent
};

struct Parameter {
  std::string name;  // "argument2" where the source gives none
  std::string type;  // as the source has it: "const int16_t *"
  Scalar element = Scalar::int32;
  Passing passing = Passing::value;
  int64_t row = 1;       // an array's length is a multiple of it: 12 of float (*)[3][4]
  int64_t declared = 0;  // elements that the source's declaration names: 48 of float [4][3][4]; 0: none

  [[nodiscard]] bool is_array() const { return passing != Passing::value; }
};

struct FunctionSignature {
  std::string name;  // with its namespaces
  Language language = Language::c;
  std::optional<Scalar> result;
  std::string result_type;  // as the source has it
  std::vector<Parameter> parameters;
};

// Throws Error that names the parameter and a way out when the function cannot be called from afar, that lists
// similar names when there is none or several of its name, and with the parser's own words when the source is
// wrong.
[[nodiscard]] FunctionSignature read_signature(const FunctionRequest& request, const Target& target);

[[nodiscard]] std::string to_text(const FunctionSignature& signature);  // "int fir(const int16_t *x, size_t n)"

}  // namespace mote
