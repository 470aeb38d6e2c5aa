// SPDX-License-Identifier: Apache-2.0
// The arithmetic inside the kernels of light operators, against the formulas that it replaces.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "nn/arithmetic.hpp"
#include "nn/dequantize.hpp"
#include "nn/dot_f32.hpp"
#include "nn/log_softmax.hpp"
#include "nn/quantize.hpp"
#include "nn/requantize.hpp"
#include "nn/softmax.hpp"
#include "ops/linear_sum.hpp"
#include "ops/quantize_multiplier.hpp"

namespace {

// Every difference of two 8-bit values, with random mantissas and exponents.
TEST(Dequantize, EqualsTheFloatingPointProduct) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto mantissa = static_cast<int32_t>((random() >> 9) | 0x800000U);
    const auto exponent = static_cast<int32_t>(random() % 160) - 120;
    const float scale = std::ldexp(static_cast<float>(mantissa), exponent);
    for (int32_t value = -255; value <= 255; ++value) {
      ASSERT_EQ(nn::scaled(mantissa, exponent, value), scale * static_cast<float>(value))
          << mantissa << " * 2^" << exponent << " * " << value;
    }
  }
}

template <int Headroom>
void expect_narrow_products_equal_the_wide_one(int32_t low, int32_t high, int32_t step) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto multiplier = static_cast<int32_t>((random() >> 2) | (1U << 30));
    const int32_t shift = -static_cast<int32_t>(random() % 32);
    for (int32_t value = low; value <= high; value += step) {
      ASSERT_EQ(nn::rescale_to_common<Headroom>(value, multiplier, shift),
                nn::multiply_by_quantized_multiplier(value * (1 << Headroom), multiplier, shift))
          << value << " * " << multiplier << " shifted by " << shift;
    }
  }
}

TEST(Add, TwoNarrowProductsEqualTheWideOne) {
  expect_narrow_products_equal_the_wide_one<20>(-255, 255, 1);
  expect_narrow_products_equal_the_wide_one<15>(-32768, 32767, 117);
  expect_narrow_products_equal_the_wide_one<15>(-32767, 32767, 32767);
}

// Sums of bytes with random scales, and with scales whose quotients make ties, which no linear sum rounds away
// from zero. Most have one, and it equals what it stands for.
TEST(Add, LinearSumsEqualTheCommonScale) {
  std::mt19937 random(3);
  const auto real = [&](double low, double high) {
    return low + (high - low) * (static_cast<double>(random()) / 0x1p32);
  };
  const auto byte = [&] { return static_cast<int32_t>(random() % 256) - 128; };
  int found = 0;
  for (int i = 0; i < 60; ++i) {
    const bool ties = i % 4 == 0;
    const double a = ties ? 0.25 : real(0.01, 0.2), b = ties ? 0.5 : real(0.01, 0.2);
    const double out = ties ? 1.0 : real(0.05, 0.4), common = 2 * std::max(a, b);
    const mote::FixedMultiplier first = mote::quantize_multiplier(a / common);
    const mote::FixedMultiplier second = mote::quantize_multiplier(b / common);
    const mote::FixedMultiplier last = mote::quantize_multiplier(common / (0x1p20 * out));
    const nn::OnCommonScale<20, nn::Sum> exact{
        byte(), first.multiplier, first.shift, byte(), second.multiplier,    second.shift,
        byte(), last.multiplier,  last.shift,  -100,   i % 2 == 0 ? 127 : 90};
    const double offset = exact.zero - a / out * exact.zero_a - b / out * exact.zero_b + 0.5;
    const std::optional<nn::LinearSum> sum =
        mote::op::linear_sum({a / out, b / out, offset, exact.low, exact.high}, exact);
    if (!sum) continue;
    ++found;
    for (int32_t x = -128; x <= 127; ++x) {
      for (int32_t y = -128; y <= 127; ++y) ASSERT_EQ((*sum)(x, y), exact(x, y)) << x << " and " << y;
    }
  }
  EXPECT_GE(found, 40);
}

// Rows from two elements on, also such that the reciprocal runs out of bits.
template <class Out, class Computed, class LookedUp>
void expect_equal_softmax(Computed computed, LookedUp looked_up) {
  std::mt19937 random(9);
  for (int i = 0; i < 200; ++i) {
    const int32_t depth = i % 20 == 0 ? 700 : static_cast<int32_t>(random() % 30) + 2;
    const auto multiplier = static_cast<int32_t>((random() >> 2) | (1U << 30));
    const int32_t shift = static_cast<int32_t>(random() % 6) + 17;
    const nn::Softmax p{2, depth, multiplier, shift, -static_cast<int32_t>(31LL << 26 >> shift)};
    std::vector<int32_t> exponentials;
    for (int32_t difference = 0; difference >= std::max(p.lowest_difference, -255); --difference) {
      exponentials.push_back(
          nn::exp_on_negative_values(nn::multiply_fractions(difference * (1 << shift), multiplier)));
    }
    std::vector<int8_t> in(static_cast<size_t>(2 * depth));
    for (int8_t& value : in) value = static_cast<int8_t>(i % 40 == 0 ? 5 : random() % 256);
    std::vector<Out> expected(in.size()), out(in.size());
    computed(p, in.data(), expected.data());
    looked_up(p, in.data(), exponentials.data(), out.data());
    ASSERT_EQ(out, expected) << "depth " << depth << ", shift " << shift;
  }
}

TEST(Softmax, LookedUpExponentialsGiveTheSame) {
  expect_equal_softmax<int8_t>(
      [](const nn::Softmax& p, const int8_t* in, int8_t* out) { nn::softmax_s8(p, in, out); },
      [](const nn::Softmax& p, const int8_t* in, const int32_t* table, int8_t* out) {
        nn::softmax_lookup_s8(p, in, table, out);
      });
  expect_equal_softmax<int16_t>(
      [](const nn::Softmax& p, const int8_t* in, int16_t* out) { nn::softmax_s8_s16(p, in, out); },
      [](const nn::Softmax& p, const int8_t* in, const int32_t* table, int16_t* out) {
        nn::softmax_lookup_s8_s16(p, in, table, out);
      });
}

TEST(Quantize, RoundsHalvesAwayFromZero) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const float value =
        std::ldexp(static_cast<float>(static_cast<int32_t>(random())), -static_cast<int>(random() % 40) - 9);
    ASSERT_EQ(static_cast<float>(nn::round_half_away(value)), std::round(value)) << value;
  }
  for (int32_t i = -70'000; i <= 70'000; ++i) {
    const float half = static_cast<float>(i) / 2;
    for (const float value : {half, std::nextafterf(half, -1e9F), std::nextafterf(half, 1e9F)}) {
      ASSERT_EQ(static_cast<float>(nn::round_half_away(value)), std::round(value)) << value;
    }
  }
  for (const float large : {1e7F, 1e20F, INFINITY}) {
    EXPECT_GE(nn::round_half_away(large), 1 << 23);
    EXPECT_LE(nn::round_half_away(-large), -(1 << 23));
  }
}

// All bits random; or exponents close together, with mantissas that meet halves; or a sum that nearly cancels.
TEST(FloatMath, SoftMultiplyAddRoundsAsTheHardwareDoes) {
  std::mt19937 random(1);
  const auto real = [](uint32_t word) { return std::bit_cast<float>(word); };
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  const auto operand = [&] {
    const auto word = static_cast<uint32_t>(random());
    const auto near = static_cast<uint32_t>((word & 0x80000000U) | (122 + random() % 10) << 23);
    switch (random() % 5) {
      case 0: return real(word);
      case 1: return real(near | (word & 0x7F0000));
      case 2: return real(near | (word & 0x0000FF));
      case 3: return word % 8 == 0 ? 0.0F : real(near | (word & 0x700007));
      default: return real(near | (word & 0x7FFFFF));
    }
  };
  for (int i = 0; i < 5'000'000; ++i) {
    const float a = operand(), b = operand();
    volatile float product = a * b;  // not fused with the sum
    const bool cancels = i % 3 == 0;
    const float sum =
        cancels ? real((bits(product) ^ 0x80000000U) + static_cast<uint32_t>(random() % 9) - 4) : operand();
    const float expected = sum + product, actual = nn::soft_multiply_add(sum, a, b);
    if (std::isnan(expected) && std::isnan(actual)) continue;
    ASSERT_EQ(bits(actual), bits(expected)) << a << " * " << b << " + " << sum;
  }
}

TEST(FloatMath, ExponentialIsAccurate) {
  for (double x = -85.9; x < 88.0; x += 0.000'37) {
    const double expected = std::exp(static_cast<double>(static_cast<float>(x)));
    ASSERT_NEAR(static_cast<double>(nn::exp_f32(static_cast<float>(x))) / expected, 1.0, 3e-7) << x;
  }
  EXPECT_EQ(nn::exp_f32(0.0F), 1.0F);
  EXPECT_EQ(nn::exp_f32(-1000.0F), 0.0F);
}

TEST(FloatMath, LogarithmIsAccurate) {
  for (double x = 1e-6; x < 1e7; x *= 1.000'13) {
    const auto value = static_cast<float>(x);
    const double expected = std::log(static_cast<double>(value));
    ASSERT_NEAR(static_cast<double>(nn::log_f32(value)), expected, 1.5e-7 * std::max(1.0, std::abs(expected)))
        << x;
  }
  EXPECT_EQ(nn::log_f32(1.0F), 0.0F);
}

// To within the error of its series, 2^-22.
TEST(FixedPoint, ExponentialIsCloseToTheRealOne) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto x = -static_cast<int32_t>(random() >> (1 + random() % 16));
    ASSERT_NEAR(std::ldexp(nn::exp_on_negative_values(x), -31), std::exp(std::ldexp(x, -26)), std::ldexp(1.0, -22))
        << x;
  }
}

// To within the error of three Newton steps, 2^-28.
TEST(FixedPoint, ReciprocalIsCloseToTheRealOne) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto x = static_cast<int32_t>(random() >> 1);
    ASSERT_NEAR(std::ldexp(nn::one_over_one_plus(x), -31), 1.0 / (1.0 + std::ldexp(x, -31)), std::ldexp(1.0, -28))
        << x;
  }
  for (int32_t x = 0; x < 1000; ++x) {  // near 1, where the result saturates
    ASSERT_NEAR(std::ldexp(nn::one_over_one_plus(x), -31), 1.0 / (1.0 + std::ldexp(x, -31)), std::ldexp(1.0, -28))
        << x;
  }
}

// Sums of 32 bits with one high multiply against the reference's 64-bit formula, computed with more bits.
TEST(Requantize, OneHighMultiplyEqualsTheReducedMultiplier) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto multiplier = static_cast<int32_t>((random() >> 2) | (1U << 30));
    const int shift = -2 - static_cast<int>(random() % 17);
    const auto x = static_cast<int32_t>(random()) >> (random() % 24);
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const auto exact = static_cast<__int128>(x) * reduced;
    const auto expected = static_cast<int32_t>((exact + (__int128{1} << (14 - shift))) >> (15 - shift));
    ASSERT_EQ(nn::multiply_by_reduced_multiplier(x, multiplier, shift), expected) << x << " shift " << shift;
    ASSERT_EQ(nn::halved_high_product(x, reduced << (18 + shift)), expected) << x << " shift " << shift;
  }
}

// From 1 to 4096 in Q12.19, to within 2^-22.
TEST(FixedPoint, ProductsOfHalvesAreWhole) {
  std::mt19937 random(7);
  const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -65537, -65536, -65535, -32769, -32768,     -1,       0,
                           1,         32767,         32768,  65535,  65536,  65537,  0x7FFF0000, INT32_MAX};
  const auto expect_whole = [](int32_t a, int32_t b) {
    const int64_t product = int64_t{a} * b;
    ASSERT_EQ(nn::high_product_of_halves(a, b), product >> 32) << a << " * " << b;
    if (a == INT32_MIN && b == INT32_MIN) return;
    ASSERT_EQ(nn::rounded_double_product_of_halves(a, b), (product + (int64_t{1} << 30)) >> 31) << a << " * " << b;
  };
  for (const int32_t a : edges) {
    for (const int32_t b : edges) expect_whole(a, b);
  }
  for (int i = 0; i < 1'000'000; ++i)
    expect_whole(static_cast<int32_t>(random()) >> (random() % 32),
                 static_cast<int32_t>(random()) >> (random() % 32));
}

TEST(FixedPoint, LogarithmIsCloseToTheRealOne) {
  std::mt19937 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto x = static_cast<int32_t>((1U << 19) + (random() >> (1 + random() % 20)) % 0x7FF80000U);
    ASSERT_NEAR(std::ldexp(nn::log_of_sum(x), -26), std::log(std::ldexp(x, -19)), std::ldexp(1.0, -22)) << x;
  }
}

}  // namespace
