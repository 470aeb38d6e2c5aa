// SPDX-License-Identifier: Apache-2.0
// The host arithmetic that operators share, against its definitions.
#include "ops/quantize_multiplier.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.hpp"

namespace mote {
namespace {

TEST(QuantizeMultiplier, IsTheNearestOf31BitsAndAPowerOfTwo) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    const double real =
        std::ldexp(1.0 + static_cast<double>(random()) / 0x1p32, static_cast<int>(random() % 60) - 31);
    const FixedMultiplier fixed = quantize_multiplier(real);
    ASSERT_GE(fixed.multiplier, 1 << 30);
    const double stands_for = std::ldexp(fixed.multiplier, fixed.shift - 31);
    ASSERT_LE(std::abs(stands_for - real), std::ldexp(0.5, fixed.shift - 31)) << real;
  }
}

TEST(QuantizeMultiplier, Corners) {
  const auto expect = [](double real, int32_t multiplier, int32_t shift) {
    const FixedMultiplier fixed = quantize_multiplier(real);
    EXPECT_EQ(fixed.multiplier, multiplier) << real;
    EXPECT_EQ(fixed.shift, shift) << real;
  };
  expect(0.0, 0, 0);
  expect(0.5, 1 << 30, 0);
  expect(1.0, 1 << 30, 1);
  expect(0.75, 3 << 29, 0);
  expect(1.0 - 0x1p-40, 1 << 30, 1);  // rounds up to a whole power of two
  expect(0x1p-32, 1 << 30, -31);      // the smallest that is not zero
  expect(0x1p-33, 0, 0);
  EXPECT_THROW(static_cast<void>(quantize_multiplier(-0.1)), Error);
  EXPECT_THROW(static_cast<void>(quantize_multiplier(0x1p30)), Error);
  EXPECT_THROW(static_cast<void>(quantize_multiplier(std::nan(""))), Error);
}

TEST(ActivationRange, InTheOutputsIntegers) {
  const TensorType type{DType::i8, {1}, {{0.05F}, {-100}, -1}};
  const auto expect = [&](Activation activation, int32_t low, int32_t high) {
    const IntegerRange range = activation_range(activation, type);
    EXPECT_EQ(range.low, low) << name(activation);
    EXPECT_EQ(range.high, high) << name(activation);
  };
  expect(Activation::none, -128, 127);
  expect(Activation::relu, -100, 127);
  expect(Activation::relu6, -100, 20);
  expect(Activation::relu_n1_to_1, -120, -80);
}

// SAME makes ceil(input / stride) outputs, with the least padding that does, and at most one more behind than
// before.
TEST(WindowPadding, SameIsTheLeastThatCoversTheInput) {
  for (int64_t input = 1; input <= 20; ++input) {
    for (int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (int64_t stride = 1; stride <= 4; ++stride) {
        for (int64_t dilation = 1; dilation <= 2; ++dilation) {
          const Window window{kernel, stride, dilation};
          const int64_t wanted = (input + stride - 1) / stride;
          int64_t least = 0;
          while (input + least < window.span() || (input + least - window.span()) / stride + 1 < wanted) ++least;
          const Padding padding = window_padding(PaddingScheme::same, input, window);
          ASSERT_EQ(padding.before + padding.after, least);
          ASSERT_EQ(padding.before, least / 2);
          ASSERT_EQ(window_outputs(input, padding, window), wanted);
          const Padding valid = window_padding(PaddingScheme::valid, input, window);
          ASSERT_EQ(valid.before + valid.after, 0);
        }
      }
    }
  }
}

TEST(WindowPadding, AWindowMustFit) {
  EXPECT_EQ(window_outputs(5, {}, {3, 2, 2}), 1);
  EXPECT_THROW(static_cast<void>(window_outputs(4, {}, {3, 2, 2})), Error);
}

TEST(TfliteCodes, UnknownOnesAreErrors) {
  EXPECT_EQ(activation_from_tflite(3), Activation::relu6);
  EXPECT_THROW(static_cast<void>(activation_from_tflite(4)), Error);
  EXPECT_EQ(padding_from_tflite(1), PaddingScheme::valid);
  EXPECT_THROW(static_cast<void>(padding_from_tflite(2)), Error);
}

}  // namespace
}  // namespace mote
