// SPDX-License-Identifier: Apache-2.0
// Models quantised to unsigned 8-bit numbers, as converters wrote them before 2019, as signed ones.
#pragma once

#include "formats/tflite_view.hpp"
#include "ir/graph.hpp"

namespace mote {

// Which of a model's inputs and outputs were unsigned; empty when the model was left as it is.
struct UnsignedBorder {
  std::vector<bool> inputs, outputs;
};

// When layers of weighted sums work on uint8, all quantised uint8 tensors become int8: numbers and zero points
// move by 128, real values stay.
[[nodiscard]] UnsignedBorder make_signed(tflite::Model& model);

// Lets the model's users keep their unsigned numbers.
[[nodiscard]] Graph with_unsigned_border(Graph graph, const UnsignedBorder& border);

}  // namespace mote
