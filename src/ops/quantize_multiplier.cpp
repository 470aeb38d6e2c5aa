// SPDX-License-Identifier: Apache-2.0
#include "ops/quantize_multiplier.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace mote {

FixedMultiplier quantize_multiplier(double real) {
  require(std::isfinite(real) && real >= 0.0, "needs a multiplier of {}; scales must be positive", real);
  if (real == 0.0) return {};
  int shift = 0;
  const double fraction = std::frexp(real, &shift);  // in [0.5, 1)
  auto fixed = static_cast<int64_t>(std::round(fraction * static_cast<double>(int64_t{1} << 31)));
  if (fixed == int64_t{1} << 31) {
    fixed /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  require(shift <= 30, "needs a multiplier of {}, the limit is 2^30; check the scales", real);
  return {static_cast<int32_t>(fixed), shift};
}

Activation activation_from_tflite(int code) {
  switch (code) {
    case 0: return Activation::none;
    case 1: return Activation::relu;
    case 2: return Activation::relu_n1_to_1;
    case 3: return Activation::relu6;
    default: fail("fuses activation {}, which is not supported; export it as an operator of its own", code);
  }
}

std::string_view name(Activation activation) {
  switch (activation) {
    case Activation::none: return "none";
    case Activation::relu: return "relu";
    case Activation::relu_n1_to_1: return "relu_n1_to_1";
    case Activation::relu6: return "relu6";
  }
  fail("unknown activation {}", static_cast<int>(activation));
}

double apply(Activation activation, double value) {
  const FloatRange range = activation_range(activation);
  return std::clamp(value, static_cast<double>(range.low), static_cast<double>(range.high));
}

namespace {

IntegerRange whole_range(DType dtype) {
  switch (dtype) {
    case DType::i8: return {-128, 127};
    case DType::u8: return {0, 255};
    case DType::i16: return {-32768, 32767};
    case DType::u16:
    case DType::i32:
    case DType::u32:
    case DType::i64:
    case DType::u64:
    case DType::f32:
    case DType::boolean:
    case DType::i4:
    case DType::i2: break;
  }
  fail("has an output of type {}, which cannot carry a fused activation; use i8, u8 or i16", name(dtype));
}

}  // namespace

IntegerRange activation_range(Activation activation, const TensorType& output) {
  const IntegerRange whole = whole_range(output.dtype);
  const float scale = tensor_scale(output, "output");
  const int32_t zero = tensor_zero(output, "output");
  // Divided and rounded in float, as the reference does; clamped before the conversion so that tiny scales (and
  // the bounds of an open range) are safe.
  const auto quantize = [&](float value) {
    const float steps = std::clamp(std::round(value / scale), -1e6F, 1e6F);
    return std::clamp(zero + static_cast<int32_t>(steps), whole.low, whole.high);
  };
  const FloatRange real = activation_range(activation);
  return {activation == Activation::none ? whole.low : quantize(real.low),
          activation == Activation::none || activation == Activation::relu ? whole.high : quantize(real.high)};
}

FloatRange activation_range(Activation activation) {
  constexpr float most = std::numeric_limits<float>::max();
  switch (activation) {
    case Activation::none: return {-most, most};
    case Activation::relu: return {0.0F, most};
    case Activation::relu_n1_to_1: return {-1.0F, 1.0F};
    case Activation::relu6: return {0.0F, 6.0F};
  }
  fail("unknown activation {}", static_cast<int>(activation));
}

PaddingScheme padding_from_tflite(int code) {
  require(code == 0 || code == 1, "has padding scheme {}; SAME (0) and VALID (1) are known", code);
  return code == 0 ? PaddingScheme::same : PaddingScheme::valid;
}

Padding window_padding(PaddingScheme scheme, int64_t input, const Window& window) {
  if (scheme == PaddingScheme::valid) return {};
  const int64_t outputs = (input + window.stride - 1) / window.stride;
  const int64_t total = std::max<int64_t>(0, (outputs - 1) * window.stride + window.span() - input);
  return {total / 2, total - total / 2};
}

int64_t window_outputs(int64_t input, const Padding& padding, const Window& window) {
  const int64_t padded = input + padding.before + padding.after;
  require(padded >= window.span(),
          "slides a window of {} over an input of {} with its padding; it must not be larger", window.span(),
          padded);
  return (padded - window.span()) / window.stride + 1;
}

}  // namespace mote
