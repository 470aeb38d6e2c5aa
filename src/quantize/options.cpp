// SPDX-License-Identifier: Apache-2.0
#include "quantize/options.hpp"

namespace mote {

NarrowWeights parse_narrow_weights(std::string_view text) {
  for (const auto& [prefix, kind] : {std::pair<std::string_view, WeightKind>{"4bit:", WeightKind::nibbles},
                                     {"ternary:", WeightKind::ternary}}) {
    if (text.starts_with(prefix) && text.size() > prefix.size())
      return {kind, std::string(text.substr(prefix.size()))};
  }
  fail("--weights '{}' is neither 4bit:PATTERN nor ternary:PATTERN; PATTERN is a layer's name, * any text", text);
}

WeightRounding parse_weight_rounding(std::string_view text) {
  for (const auto& [name, rounding] :
       {std::pair<std::string_view, WeightRounding>{"nearest", WeightRounding::nearest},
        {"narrow", WeightRounding::narrow},
        {"calibrated", WeightRounding::calibrated}}) {
    if (text == name) return rounding;
  }
  fail("there is no rounding '{}'; there are nearest, narrow and calibrated", text);
}

Int4Tensors parse_int4_tensors(std::string_view text) {
  for (const auto& [name, where] : {std::pair<std::string_view, Int4Tensors>{"none", Int4Tensors::none},
                                    {"common", Int4Tensors::common},
                                    {"litert", Int4Tensors::litert}}) {
    if (text == name) return where;
  }
  fail("INT4 tensors '{}' are neither common, litert nor none", text);
}

// The last star takes one character more where what follows it does not fit.
bool fits(std::string_view pattern, std::string_view name) {
  size_t at = 0, in = 0, star = std::string_view::npos, from = 0;
  while (in < name.size()) {
    if (at < pattern.size() && (pattern[at] == '?' || (pattern[at] == name[in] && pattern[at] != '*'))) {
      ++at, ++in;
    } else if (at < pattern.size() && pattern[at] == '*') {
      star = at++, from = in;
    } else if (star != std::string_view::npos) {
      at = star + 1, in = ++from;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace mote
