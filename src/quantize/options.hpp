// SPDX-License-Identifier: Apache-2.0
// What a user decides about quantisation.
#pragma once

#include <string>
#include <vector>

#include "quantize/ranges.hpp"

namespace mote {

// Weights of fewer values.
enum class WeightKind {
  bytes,    // -127..127
  nibbles,  // -7..7
  ternary,  // -1, 0, 1
};

// The layers whose node or weights have a name that fits the pattern (* any text, ? any character).
struct NarrowWeights {
  WeightKind kind = WeightKind::bytes;
  std::string pattern;
};

// "4bit:PATTERN" or "ternary:PATTERN". Throws Error when it is neither.
[[nodiscard]] NarrowWeights parse_narrow_weights(std::string_view text);

[[nodiscard]] bool fits(std::string_view pattern, std::string_view name);

// Where narrow weights are written as INT4, two a byte, instead of INT8.
enum class Int4Tensors {
  none,
  common,  // where TensorFlow Lite Micro and LiteRT read them
  litert,  // where LiteRT does: in dense layers with a scale a channel, too
};

[[nodiscard]] Int4Tensors parse_int4_tensors(std::string_view text);  // "none", "common", "litert"

// Which integer a weight becomes: the nearest, or the one with which the layer's sums over the samples stay near
// the float model's ("calibrated").
enum class WeightRounding {
  nearest,
  narrow,      // calibrated where weights are narrow
  calibrated,  // everywhere
};

[[nodiscard]] WeightRounding parse_weight_rounding(std::string_view text);  // by these names

struct QuantizeOptions {
  RangeOptions range;
  DType activations = DType::i8;           // or i16
  bool keep_float_io = false;              // inputs and outputs stay float
  bool per_channel_dense = false;          // a scale for each output of dense layers, too
  bool power_of_two = false;               // scales of activations and weights are powers of two
  bool equalize = false;                   // scale channels between layers so that their weights have equal ranges
  bool correct_bias = false;               // move each bias by the mean error that rounding the weights makes
  std::vector<NarrowWeights> narrow = {};  // the last one that fits a layer counts
  WeightRounding rounding = WeightRounding::narrow;
  Int4Tensors int4 = Int4Tensors::common;
};

}  // namespace mote
