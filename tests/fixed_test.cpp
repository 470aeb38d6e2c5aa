// SPDX-License-Identifier: Apache-2.0
// Fixed-point arithmetic against the formulas, in 128-bit integers.
#include "nn/fixed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "nn/requantize.hpp"

namespace {

__extension__ using Wide = __int128;

Wide floor_divide(Wide a, Wide b) {
  const Wide quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

// round(a * b / 2^31), ties towards +infinity, saturated.
int32_t formula_high_mul(int32_t a, int32_t b) {
  const Wide rounded = floor_divide(2 * Wide{a} * b + (Wide{1} << 31), Wide{1} << 32);
  return rounded > INT32_MAX ? INT32_MAX : static_cast<int32_t>(rounded);
}

// round(x / 2^exponent), ties away from zero.
int32_t formula_divide(int32_t x, int exponent) {
  const Wide divisor = Wide{1} << exponent;
  const Wide magnitude = x < 0 ? -Wide{x} : Wide{x};
  const Wide rounded = (2 * magnitude + divisor) / (2 * divisor);
  return static_cast<int32_t>(x < 0 ? -rounded : rounded);
}

std::vector<int32_t> corners() {
  std::vector<int32_t> values{INT32_MIN, INT32_MIN + 1, INT32_MAX, INT32_MAX - 1, 0};
  for (int bit = 0; bit < 31; ++bit) {
    for (const int32_t nudge : {-1, 0, 1}) {
      values.push_back((int32_t{1} << bit) + nudge);
      values.push_back(-(int32_t{1} << bit) + nudge);
    }
  }
  return values;
}

TEST(Fixed, HighMulEqualsTheFormula) {
  for (const int32_t a : corners()) {
    for (const int32_t b : corners()) {
      ASSERT_EQ(nn::saturating_rounding_doubling_high_mul(a, b), formula_high_mul(a, b)) << a << " * " << b;
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 1000000; ++i) {
    const auto a = static_cast<int32_t>(random()), b = static_cast<int32_t>(random());
    ASSERT_EQ(nn::saturating_rounding_doubling_high_mul(a, b), formula_high_mul(a, b)) << a << " * " << b;
  }
}

TEST(Fixed, DivideByPowerOfTwoEqualsTheFormula) {
  for (int exponent = 0; exponent <= 31; ++exponent) {
    for (int32_t x = -40000; x <= 40000; ++x) {
      ASSERT_EQ(nn::rounding_divide_by_power_of_two(x, exponent), formula_divide(x, exponent))
          << x << " " << exponent;
    }
    for (const int32_t x : corners()) {
      ASSERT_EQ(nn::rounding_divide_by_power_of_two(x, exponent), formula_divide(x, exponent))
          << x << " " << exponent;
    }
  }
}

TEST(Fixed, MultiplierShiftsLeftBeforeAndRightAfter) {
  std::mt19937 random(2);
  for (int i = 0; i < 300000; ++i) {
    const auto multiplier = static_cast<int32_t>(random() >> 2) + (1 << 30);
    const int shift = static_cast<int>(random() % 39) - 31;
    const auto x = static_cast<int32_t>(random()) >> 8;
    const int32_t shifted = shift > 0 ? x << shift : x;
    const int32_t expected = formula_divide(formula_high_mul(shifted, multiplier), shift > 0 ? 0 : -shift);
    ASSERT_EQ(nn::multiply_by_quantized_multiplier(x, multiplier, shift), expected) << x << " " << shift;
  }
}

TEST(Fixed, ClampIncludesItsBounds) {
  for (int32_t x = -300; x <= 300; ++x) {
    const int32_t expected = x < -128 ? -128 : x > 127 ? 127 : x;
    ASSERT_EQ(nn::clamp(x, -128, 127), expected);
  }
}

// The short requantisation of one channel against the long one.
struct Channel {
  int32_t multiplier, shift, zero, low, high;

  [[nodiscard]] int32_t expected(int32_t sum) const {
    return std::clamp(zero + nn::multiply_by_quantized_multiplier(sum, multiplier, 1 - shift), low, high);
  }
  void check(int32_t sum) const {
    const int32_t actual = nn::Requantize(multiplier, shift, zero)(sum, zero, low, high);
    ASSERT_EQ(actual, expected(sum)) << sum << " * " << multiplier << " >> " << shift << " + " << zero << " in ["
                                     << low << ", " << high << "]";
  }
};

Channel random_channel(std::mt19937& random) {
  const auto below = [&](uint32_t count) { return static_cast<int32_t>(random() % count); };
  const auto multiplier = below(4) == 0 ? 1 << 30 : static_cast<int32_t>((random() >> 2) | (1U << 30));
  Channel channel{multiplier, 2 + below(21), below(256) - 128, -128, 127};
  if (below(2) == 0) channel.low = channel.zero;  // RELU: ties below zero are cut off
  if (below(3) == 0) channel.high = channel.low + below(static_cast<uint32_t>(128 - channel.low));
  return channel;
}

TEST(Requantize, EqualsTheLongWayForEverySmallSum) {
  std::mt19937 random(3);
  for (int i = 0; i < 60; ++i) {
    Channel channel = random_channel(random);
    channel.shift = 2 + i % 9;
    for (int32_t sum = -66000; sum <= 66000; ++sum) channel.check(sum);
    if (HasFailure()) return;
  }
}

TEST(Requantize, EqualsTheLongWayAtTiesAndAtTheBound) {
  std::mt19937 random(4);
  for (int i = 0; i < 300000 && !HasFailure(); ++i) {
    const Channel channel = random_channel(random);
    // What the compiler proves before it chooses this arithmetic: 2 * |sum| + 2^(shift + 7) + 4 fits 31 bits.
    const int64_t bound =
        std::min<int64_t>((INT32_MAX - (int64_t{256} << (channel.shift - 1)) - 4) / 2, INT32_MAX / 4);
    channel.check(static_cast<int32_t>(bound));
    channel.check(static_cast<int32_t>(-bound));
    channel.check(static_cast<int32_t>(static_cast<int64_t>(random()) % (2 * bound) - bound));
    // Around the sum whose result lies half way between two integers.
    const double half = (static_cast<double>(random() % 512) - 256.5) *
                        static_cast<double>(int64_t{1} << (30 + channel.shift)) /
                        static_cast<double>(channel.multiplier);
    for (int32_t nudge = -2; nudge <= 2; ++nudge) {
      const int64_t sum = static_cast<int64_t>(half) + nudge;
      if (std::abs(sum) <= bound) channel.check(static_cast<int32_t>(sum));
    }
  }
}

}  // namespace
