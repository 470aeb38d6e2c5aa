// SPDX-License-Identifier: Apache-2.0
// Fixed-point exponential and reciprocal: gemmlowp's exp_on_negative_values and one_over_one_plus_x, bit for bit.
//
// A value in Qm.n is an int32_t that stands for itself divided by 2^n.
#pragma once

#include "nn/fixed.hpp"

// A function that is called where only size matters.
#if MOTE_OPTIMIZE == 0
#define MOTE_SHARED_FOR_SIZE MOTE_SHARED
#else
#define MOTE_SHARED_FOR_SIZE MOTE_KERNEL
#endif

namespace nn {

// saturating_rounding_doubling_high_mul as a call: softmax multiplies in a dozen places, and size matters more
// there. Not for both INT32_MIN.
inline __attribute__((noinline)) int32_t multiply_fractions(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) __builtin_unreachable();
  return saturating_rounding_doubling_high_mul(a, b);
}

MOTE_SHARED_FOR_SIZE int32_t divide_rounded(int32_t x, int exponent) {
  return rounding_divide_by_power_of_two(x, exponent);
}

// x * 2^exponent, saturated; exponent 1 to 30.
MOTE_KERNEL int32_t saturating_shift_left(int32_t x, int exponent) {
  const int32_t limit = INT32_MAX >> exponent;
  if (x > limit) return INT32_MAX;
  if (x < -limit - 1) return INT32_MIN;
  return static_cast<int32_t>(static_cast<uint32_t>(x) << exponent);
}

// e^x for x in [-1/4, 0), Q0.31: the Taylor series of degree 4 around -1/8.
MOTE_KERNEL int32_t exp_near_zero(int32_t x) {
  constexpr int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
  const int32_t t = x + (1 << 28);  // distance from -1/8
  const int32_t t2 = multiply_fractions(t, t);
  const int32_t t3 = multiply_fractions(t2, t);
  const int32_t t4 = multiply_fractions(t2, t2);
  const int32_t cubic_and_quartic = multiply_fractions(divide_rounded(t4, 2) + t3, third);
  const int32_t terms = t + divide_rounded(cubic_and_quartic + t2, 1);
  return exp_of_minus_eighth + multiply_fractions(exp_of_minus_eighth, terms);
}

// e^-1/4, e^-1/2, … e^-16
inline constexpr int32_t exp_factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};

// e^x in Q0.31 for x <= 0 in Q5.26: the fraction below 1/4 by series, then one factor e^-(2^k) for each further
// bit.
MOTE_SHARED_FOR_SIZE int32_t exp_on_negative_values(int32_t x) {
  constexpr int32_t quarter = 1 << 24;
  if (x == 0) return INT32_MAX;
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  int32_t result = exp_near_zero(static_cast<int32_t>(static_cast<uint32_t>(fraction) << 5));
  int32_t rest = (fraction - x) >> 24;  // in quarters
  for (int k = 0; k < 7; ++k, rest >>= 1) {
    if (rest & 1) result = multiply_fractions(result, exp_factors[k]);
  }
  return result;
}

// 1 / (1 + x) in Q0.31 for x in [0, 1) in Q0.31: three steps of Newton and Raphson. y in Q2.29 is within 1/8 of a
// result between 1 and 2 and the steps are smaller, so that only the last shift can saturate.
MOTE_KERNEL int32_t one_over_one_plus(int32_t x) {
  constexpr int32_t two_point_82 = 1515870810, minus_one_point_88 = -1010580540;  // 48/17 and -32/17 in Q2.29
  const auto half_denominator = static_cast<int32_t>((static_cast<uint32_t>(x) + 0x80000000U) >> 1);
  int32_t y = two_point_82 + multiply_fractions(half_denominator, minus_one_point_88);
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - multiply_fractions(half_denominator, y);
    y += multiply_fractions(y, error) * 4;
  }
  return y >= 1 << 30 ? INT32_MAX : y * 2;
}

}  // namespace nn
