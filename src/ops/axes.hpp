// SPDX-License-Identifier: Apache-2.0
// Shapes and axes of a file's operator, as from_tflite functions read them.
#pragma once

#include "formats/tflite_view.hpp"

namespace mote::op {

// Input `index`, which must be there.
[[nodiscard]] inline const Tensor& file_input(const tflite::OpView& view, size_t index = 0) {
  require(index < view.inputs.size() && view.inputs[index] != nullptr,
          "has no input {}; the file is incomplete, convert the model again", index);
  return *view.inputs[index];
}

[[nodiscard]] inline const Shape& file_shape(const tflite::OpView& view, size_t index = 0) {
  return file_input(view, index).type.shape;
}

// Dimension `index` of a tensor of rank `rank`, counted from behind when negative.
[[nodiscard]] inline size_t dimension(int64_t index, size_t rank) {
  const auto signed_rank = static_cast<int64_t>(rank);
  require(index >= -signed_rank && index < signed_rank, "names dimension {} of a tensor of rank {}", index, rank);
  return static_cast<size_t>(index < 0 ? index + signed_rank : index);
}

// The one integer in constant input `input`.
[[nodiscard]] inline int64_t one_integer(const tflite::OpView& view, size_t input, std::string_view what) {
  const std::vector<int64_t> values = view.integers(input, what);
  require(values.size() == 1, "has {} values of {}, it takes one", values.size(), what);
  return values[0];
}

}  // namespace mote::op
