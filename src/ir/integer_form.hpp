// SPDX-License-Identifier: Apache-2.0
// What becomes of an operator on real numbers when its tensors become integers: which quantisations TensorFlow
// Lite's specification of quantised operators asks for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ir/types.hpp"

namespace mote {

class Operator;

// The inputs of a weighted sum (convolution, dense layer) that are no activations.
struct WeightedInputs {
  size_t weights = 1, bias = 2;  // indices of the operator's inputs; the bias may be absent
  int out_axis = 0;              // of the weights: one index an output channel
  int in_axis = -1;         // one index an input channel; -1: depthwise, an output channel reads one input channel
  bool per_tensor = false;  // one scale for all channels unless the user asks for more
  bool keeps_scaling = false;  // the output scales with the sum: no activation, or one without an upper end
};

struct IntegerForm {
  enum class Scale {
    own,     // the output's quantisation is its own
    shared,  // the real inputs and the output have one quantisation
    fixed,   // the operator gives `output`, whatever the input is
  };
  Scale scale = Scale::own;
  Quantization output;
  std::optional<WeightedInputs> sum;
  // Of scale `shared`: its output holds the input's channels, scaled as they are (pooling), so that a factor of a
  // channel passes through.
  bool keeps_channels = false;
  // The operator on integers where it is another one: a parameter of it is quantised as the output is.
  std::function<std::shared_ptr<const Operator>(const TensorType& output)> op = {};

  [[nodiscard]] static IntegerForm shared() { return {Scale::shared, {}, {}, false, {}}; }
  [[nodiscard]] static IntegerForm fixed(float scale, int32_t zero) {
    return {Scale::fixed, {{scale}, {zero}, -1}, {}, false, {}};
  }
};

}  // namespace mote
