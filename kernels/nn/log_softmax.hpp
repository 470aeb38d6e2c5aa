// SPDX-License-Identifier: Apache-2.0
// Logarithm of softmax over the innermost dimension.
#pragma once

#include "nn/fixed_exp.hpp"
#include "nn/float_math.hpp"

namespace nn {

struct LogSoftmax {
  int32_t rows, depth;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
  }
};

MOTE_KERNEL void log_softmax_f32(const LogSoftmax& p, const float* in, float* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    const float largest = largest_of(in, p.depth);
    float sum = 0.0f;
    for (int32_t i = 0; i < p.depth; ++i) sum += exp_f32(in[i] - largest);
    const float log_sum = log_f32(sum);
    for (int32_t i = 0; i < p.depth; ++i) out[i] = in[i] - largest - log_sum;
    in += p.depth;
    out += p.depth;
  }
}

// ln x in Q5.26 for x from 1 on in Q12.19. x = 2^n r; of the two r that lie near sqrt(sqrt(1/2)), one half a power
// of two apart, the smaller one is taken, and ln r is a quotient of polynomials in its distance from there. Bit
// for bit the reference's.
MOTE_KERNEL int32_t log_of_sum(int32_t x) {
  constexpr int32_t ln_2 = 1488522236, sqrt_half = 1518500250, fourth_root_half = 1805811301;
  constexpr int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769, alpha_f = 638450708;
  const auto headroom = [](int32_t value) {
    int bits = 0;
    for (auto rest = static_cast<uint32_t>(value); rest < 0x40000000U; rest <<= 1) ++bits;
    return bits;
  };
  const int above = headroom(x);
  const int below = headroom(multiply_fractions(x, sqrt_half));
  const int32_t r_above = saturating_shift_left(multiply_fractions(saturating_shift_left(x, above), sqrt_half), 1);
  const int32_t r_below = saturating_shift_left(x, below);
  const int32_t r = r_above < r_below ? r_above : r_below;
  const int32_t power_above = (11 - above) * (1 << 25) + (1 << 23);  // of two, Q6.25
  const int32_t power_below = (12 - below) * (1 << 25) - (1 << 23);
  const int32_t power = power_above > power_below ? power_above : power_below;
  const auto p =
      static_cast<int32_t>((static_cast<uint32_t>(r) + static_cast<uint32_t>(fourth_root_half) + 1) >> 1);
  const int32_t q = (r - fourth_root_half) * 2;
  const int32_t square = multiply_fractions(q, q);
  const int32_t numerator = multiply_fractions(q, r) + multiply_fractions(multiply_fractions(q, square), alpha_n);
  const int32_t denominator =
      multiply_fractions(p, alpha_i + q + multiply_fractions(alpha_d, square)) + multiply_fractions(alpha_f, q);
  const int32_t quotient =
      multiply_fractions(rounding_divide_by_power_of_two(numerator, 6), one_over_one_plus(denominator));
  return saturating_shift_left(multiply_fractions(power, ln_2) + quotient, 1);
}

struct LogSoftmax8 {
  int32_t rows, depth;
  int32_t multiplier, shift;                  // of input differences to Q5.26
  int32_t reverse_multiplier, reverse_shift;  // and back
  int32_t lowest_difference;                  // to the row's maximum; elements further below do not count

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
    f("multiplier", multiplier);
    f("shift", shift);
    f("reverse_multiplier", reverse_multiplier);
    f("reverse_shift", reverse_shift);
    f("lowest_difference", lowest_difference);
  }
};

// The output's scale is 1/16, its zero point 127.
MOTE_KERNEL void log_softmax_s8(const LogSoftmax8& p, const int8_t* in, int8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    int32_t largest = in[0];
    for (int32_t i = 1; i < p.depth; ++i) largest = in[i] > largest ? in[i] : largest;
    const auto scaled = [&](int32_t difference)
                            MOTE_INLINE { return multiply_fractions(difference * (1 << p.shift), p.multiplier); };
    int32_t sum = 0;  // of exponentials, Q12.19
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t difference = in[i] - largest;
      if (difference < p.lowest_difference) continue;
      sum += rounding_divide_by_power_of_two(exp_on_negative_values(scaled(difference)), 12);
    }
    const int32_t log_sum = log_of_sum(sum);
    // Below this the result would leave Q5.26.
    const int32_t limit =
        multiply_by_quantized_multiplier(INT32_MIN + log_sum, p.reverse_multiplier, p.reverse_shift);
    const int32_t lowest = limit > p.lowest_difference - 1 ? limit : p.lowest_difference - 1;
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t difference = in[i] - largest;
      int32_t result = -128;
      if (difference > lowest) {
        result = clamp(rounding_divide_by_power_of_two(scaled(difference) - log_sum, 22) + 127, -128, 127);
      }
      out[i] = static_cast<int8_t>(result);
    }
    in += p.depth;
    out += p.depth;
  }
}

}  // namespace nn
