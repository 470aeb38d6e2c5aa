// SPDX-License-Identifier: Apache-2.0
// Sliding windows as a .tflite file states them: by a scheme, SAME or VALID, and explicit padding before it where
// neither says the same.
#pragma once

#include <optional>

#include "formats/tflite_writer.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote {

// One use of a window in the two directions of an NHWC image.
struct WindowUse {
  const Window& vertical;
  const Window& horizontal;
  const Padding& pad_vertical;
  const Padding& pad_horizontal;
  const Shape& input;  // of the tensors that it slides over and gives
  const Shape& output;
};

// nullopt: neither scheme gives these windows.
[[nodiscard]] std::optional<tflite::schema::Padding> padding_scheme(const WindowUse& use);

// The shape of the input with so much explicit padding that VALID gives the windows, and that padding as PAD's
// second input has it.
[[nodiscard]] Shape padded_shape(const WindowUse& use);
[[nodiscard]] int padding_constant(tflite::NodeWriter& file, const WindowUse& use);

[[nodiscard]] tflite::schema::ActivationFunctionType to_tflite(Activation activation);

}  // namespace mote
