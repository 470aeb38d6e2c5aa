// SPDX-License-Identifier: Apache-2.0
// What a user decides about quantisation.
#pragma once

#include <string>
#include <vector>

#include "quantize/ranges.hpp"

namespace mote {

struct QuantizeOptions {
  RangeOptions range;
  DType activations = DType::i8;   // or i16
  bool keep_float_io = false;      // inputs and outputs stay float
  bool per_channel_dense = false;  // a scale for each output of dense layers, too
};

}  // namespace mote
