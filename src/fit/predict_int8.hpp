// SPDX-License-Identifier: Apache-2.0
// The int8 graph that a float model would become: what its plan, flash and instructions would be before anybody
// quantises it. Shapes, kernels and packing are those of a real int8 model; scales are made up, so it computes
// nothing that means anything.
#pragma once

#include <optional>
#include <string>

#include "compile/compile.hpp"

namespace mote {

struct Int8Prediction {
  std::optional<Compiled> model;
  std::string obstacle;  // the first layer that has no int8 form, and why; empty when there is a model
};

// Does a layer compute in float32? Converting to or from integers at the model's ends is not computing.
[[nodiscard]] bool is_float(const Graph& graph);

// Activations i8, weights i8, biases i32. A model that is not float gives its obstacle too.
[[nodiscard]] Int8Prediction predict_int8(const Graph& graph);

}  // namespace mote
