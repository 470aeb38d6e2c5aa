// SPDX-License-Identifier: Apache-2.0
#include "ops/window_tflite.hpp"

#include <algorithm>

namespace mote {

namespace schema = tflite::schema;

namespace {

int64_t same_outputs(int64_t input, const Window& window) { return (input + window.stride - 1) / window.stride; }

bool is_valid(int64_t input, int64_t output, const Window& window, const Padding& padding) {
  return padding.before == 0 && input >= window.span() && output == (input - window.span()) / window.stride + 1;
}

bool is_same(int64_t input, int64_t output, const Window& window, const Padding& padding) {
  return output == same_outputs(input, window) &&
         padding.before == window_padding(PaddingScheme::same, input, window).before;
}

// What the last window needs behind the image.
int64_t needed_after(int64_t input, int64_t output, const Window& window, const Padding& padding) {
  return std::max<int64_t>(0, (output - 1) * window.stride + window.span() - input - padding.before);
}

}  // namespace

std::optional<schema::Padding> padding_scheme(const WindowUse& use) {
  if (is_valid(use.input[1], use.output[1], use.vertical, use.pad_vertical) &&
      is_valid(use.input[2], use.output[2], use.horizontal, use.pad_horizontal))
    return schema::Padding::VALID;
  if (is_same(use.input[1], use.output[1], use.vertical, use.pad_vertical) &&
      is_same(use.input[2], use.output[2], use.horizontal, use.pad_horizontal))
    return schema::Padding::SAME;
  return std::nullopt;
}

Shape padded_shape(const WindowUse& use) {
  Shape shape = use.input;
  shape[1] += use.pad_vertical.before + needed_after(use.input[1], use.output[1], use.vertical, use.pad_vertical);
  shape[2] +=
      use.pad_horizontal.before + needed_after(use.input[2], use.output[2], use.horizontal, use.pad_horizontal);
  return shape;
}

int padding_constant(tflite::NodeWriter& file, const WindowUse& use) {
  const Shape padded = padded_shape(use);
  std::vector<int32_t> values{0, 0};
  for (const auto& [d, padding] : {std::pair{size_t{1}, &use.pad_vertical}, {size_t{2}, &use.pad_horizontal}}) {
    values.push_back(narrow<int32_t>(padding->before));
    values.push_back(narrow<int32_t>(padded[d] - use.input[d] - padding->before));
  }
  values.insert(values.end(), {0, 0});
  return file.constant("paddings", {DType::i32, {4, 2}, {}}, to_bytes(values));
}

schema::ActivationFunctionType to_tflite(Activation activation) {
  switch (activation) {
    case Activation::none: return schema::ActivationFunctionType::NONE;
    case Activation::relu: return schema::ActivationFunctionType::RELU;
    case Activation::relu_n1_to_1: return schema::ActivationFunctionType::RELU_N1_TO_1;
    case Activation::relu6: return schema::ActivationFunctionType::RELU6;
  }
  fail("unknown activation {}", static_cast<int>(activation));
}

}  // namespace mote
