// SPDX-License-Identifier: Apache-2.0
// What the operators compute on the host the way TensorFlow Lite does: fixed-point multipliers, fused activations,
// sizes and paddings of sliding windows.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/types.hpp"

namespace mote {

// real = multiplier / 2^31 * 2^shift; multiplier is 0 or in [2^30, 2^31). The kernels' argument of
// nn::multiply_by_quantized_multiplier.
struct FixedMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;
};

// Rounds to nearest; a multiplier below 2^-32 becomes 0. Throws Error for a negative one, or one of 2^30 or more.
[[nodiscard]] FixedMultiplier quantize_multiplier(double real);

// A function fused behind an operator.
enum class Activation { none, relu, relu_n1_to_1, relu6 };

// From the number in a .tflite file (schema: ActivationFunctionType). Throws Error when it is another function.
[[nodiscard]] Activation activation_from_tflite(int code);
[[nodiscard]] std::string_view name(Activation activation);  // "none", "relu6"
[[nodiscard]] double apply(Activation activation, double value);

struct IntegerRange {
  int32_t low = 0, high = 0;
};
struct FloatRange {
  float low = 0.0F, high = 0.0F;
};

// What a fused activation lets through, in the output's integers (i8, u8, i16) or reals.
[[nodiscard]] IntegerRange activation_range(Activation activation, const TensorType& output);
[[nodiscard]] FloatRange activation_range(Activation activation);

// One spatial dimension of a sliding window: convolution, pooling.
struct Window {
  int64_t kernel = 1, stride = 1, dilation = 1;
  [[nodiscard]] int64_t span() const { return (kernel - 1) * dilation + 1; }
};
struct Padding {
  int64_t before = 0, after = 0;
};

enum class PaddingScheme { same, valid };

// From the number in a .tflite file (schema: Padding). Throws Error when it is neither.
[[nodiscard]] PaddingScheme padding_from_tflite(int code);

// SAME: ceil(input / stride) outputs, the odd one of the padding goes behind. VALID: none.
[[nodiscard]] Padding window_padding(PaddingScheme scheme, int64_t input, const Window& window);

// How many windows fit. Throws Error when not even one does.
[[nodiscard]] int64_t window_outputs(int64_t input, const Padding& padding, const Window& window);

}  // namespace mote
