// SPDX-License-Identifier: Apache-2.0
// Softmax over the innermost dimension.
#pragma once

#include "nn/fixed_exp.hpp"
#include "nn/float_math.hpp"

namespace nn {

struct Softmax {
  int32_t rows, depth;
  int32_t multiplier, shift;  // of input differences to Q5.26
  int32_t lowest_difference;  // to the row's maximum; elements further below count as 0

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
    f("multiplier", multiplier);
    f("shift", shift);
    f("lowest_difference", lowest_difference);
  }
};

// The output's scale is one part in 256 (int16_t: 65536), its zero point the lowest number.
template <class Out>
MOTE_KERNEL void softmax(const Softmax& p, const int8_t* in, Out* out) {
  constexpr int out_bits = 8 * sizeof(Out);
  constexpr int32_t most = (1 << out_bits) - 1;
  for (int32_t row = 0; row < p.rows; ++row) {
    int32_t largest = in[0];
    for (int32_t i = 1; i < p.depth; ++i) largest = in[i] > largest ? in[i] : largest;
    int32_t sum = 0;  // of exponentials, Q12.19
    int32_t reciprocal = 0;
    int bits_over_unit = 0;
    // One loop for both passes, so that the exponential's code is there once: 0 adds up, 1 writes.
    for (int pass = 0; pass < 2; ++pass) {
      for (int32_t i = 0; i < p.depth; ++i) {
        const int32_t difference = in[i] - largest;
        int32_t exponential = 0;
        if (difference >= p.lowest_difference) {
          exponential = exp_on_negative_values(multiply_fractions(difference * (1 << p.shift), p.multiplier));
        }
        if (pass == 0) {
          sum += divide_rounded(exponential, 12);
        } else {
          const int32_t share =
              divide_rounded(multiply_fractions(reciprocal, exponential), bits_over_unit + 31 - out_bits);
          out[i] = static_cast<Out>((share > most ? most : share) - (most + 1) / 2);
        }
      }
      if (pass == 0) {
        auto normal = static_cast<uint32_t>(sum);  // at least 2^19: the maximum itself counts
        for (bits_over_unit = 12; normal < 0x80000000U; normal <<= 1) --bits_over_unit;
        // 512 equal elements or more: every share is below half an output step of 8 bits.
        reciprocal = bits_over_unit > out_bits ? 0 : one_over_one_plus(static_cast<int32_t>(normal & 0x7FFFFFFFU));
        if (bits_over_unit > out_bits) bits_over_unit = out_bits;
      }
    }
    in += p.depth;
    out += p.depth;
  }
}

MOTE_KERNEL void softmax_s8(const Softmax& p, const int8_t* in, int8_t* out) { softmax(p, in, out); }
MOTE_KERNEL void softmax_s8_s16(const Softmax& p, const int8_t* in, int16_t* out) { softmax(p, in, out); }

MOTE_KERNEL int32_t largest_byte(const int8_t* in, int32_t count) {
  int32_t largest = in[0];
  for (int32_t i = 1; i < count; ++i) largest = in[i] > largest ? in[i] : largest;
  return largest;
}

// The reciprocal of a sum of exponentials, Q12.19 and at least 2^19, for shares of `out_bits` bits.
struct ReciprocalOfSum {
  int32_t fraction;  // Q0.31
  int bits_over_unit;

  MOTE_KERNEL ReciprocalOfSum(int32_t sum, int out_bits) {
    auto normal = static_cast<uint32_t>(sum);
    for (bits_over_unit = 12; normal < 0x80000000U; normal <<= 1) --bits_over_unit;
    // 512 equal elements or more: every share is below half an output step of 8 bits.
    fraction = bits_over_unit > out_bits ? 0 : one_over_one_plus(static_cast<int32_t>(normal & 0x7FFFFFFFU));
    if (bits_over_unit > out_bits) bits_over_unit = out_bits;
  }
};

// The same where the exponentials of all differences from 0 down to lowest_difference are at hand.
template <class Out>
MOTE_KERNEL void softmax_lookup(const Softmax& p, const int8_t* in, const int32_t* exponentials, Out* out) {
  constexpr int out_bits = 8 * sizeof(Out);
  constexpr int32_t most = (1 << out_bits) - 1;
  const int32_t farthest = -p.lowest_difference;
  for (int32_t rows = p.rows; rows > 0; --rows) {
    const int32_t largest = largest_byte(in, p.depth);
    int32_t sum = 0;
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t below = largest - in[i];
      if (below <= farthest)
        sum += static_cast<int32_t>((static_cast<uint32_t>(exponentials[below]) + (1 << 11)) >> 12);
    }
    const ReciprocalOfSum of_sum(sum, out_bits);
    const int right = of_sum.bits_over_unit + 31 - out_bits;
    const auto half = static_cast<uint32_t>(1) << right >> 1;
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t below = largest - in[i];
      uint32_t share = 0;
      if (below <= farthest) {
        // No factor is negative: rounding takes one addition.
        const int32_t product = saturating_rounding_doubling_high_mul(of_sum.fraction, exponentials[below]);
        share = (static_cast<uint32_t>(product) + half) >> right;
      }
      out[i] = static_cast<Out>(static_cast<int32_t>(share > most ? most : share) - (most + 1) / 2);
    }
    in += p.depth;
    out += p.depth;
  }
}

MOTE_KERNEL void softmax_lookup_s8(const Softmax& p, const int8_t* in, const int32_t* exponentials, int8_t* out) {
  softmax_lookup(p, in, exponentials, out);
}
MOTE_KERNEL void softmax_lookup_s8_s16(const Softmax& p, const int8_t* in, const int32_t* exponentials,
                                       int16_t* out) {
  softmax_lookup(p, in, exponentials, out);
}

struct Softmax16 {
  int32_t rows, depth;
  int32_t multiplier, shift;  // of input differences to steps of 10 / 65535

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
    f("multiplier", multiplier);
    f("shift", shift);
  }
};

// A function of 16 bits from 513 samples with straight lines between them.
MOTE_KERNEL int32_t interpolate(const int16_t* samples, int32_t value) {
  const int32_t index = 256 + (value >> 7);
  const int32_t slope = samples[index + 1] - samples[index];
  return static_cast<int16_t>(samples[index] + ((slope * (value & 127) + 64) >> 7));
}

// The output's scale is 1/32768, its zero point 0. exponential: e^x for x from -10 to 0; reciprocal: 1 / (1 + x)
// for x from 0 to 1; both in steps of 1/32768.
MOTE_KERNEL void softmax_s16(const Softmax16& p, const int16_t* in, const int16_t* exponential,
                             const int16_t* reciprocal, int16_t* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    int32_t largest = in[0];
    for (int32_t i = 1; i < p.depth; ++i) largest = in[i] > largest ? in[i] : largest;
    uint32_t sum = 0;  // Q16.15
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t steps = multiply_by_quantized_multiplier(in[i] - largest, p.multiplier, p.shift);
      const int32_t value = interpolate(exponential, clamp(steps, -65535, 0) + 32767);
      out[i] = static_cast<int16_t>(value);
      sum += static_cast<uint32_t>(value);
    }
    int32_t right = 30;  // sum is 2^(right - 15) to twice that
    uint32_t normal = sum;
    for (; normal < 0x40000000U; normal <<= 1) --right;
    const auto over_one = static_cast<int32_t>((normal + (1U << 13)) >> 14) - (1 << 15) - (1 << 16);
    const int32_t share = interpolate(reciprocal, clamp(over_one, -32768, 32767));
    for (int32_t i = 0; i < p.depth; ++i) {
      const int32_t value = (out[i] * share + (1 << (right - 1))) >> right;
      out[i] = static_cast<int16_t>(clamp(value, 0, 32767));
    }
    in += p.depth;
    out += p.depth;
  }
}

struct SoftmaxFloat {
  int32_t rows, depth;
  float beta;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
    f("depth", depth);
    f("beta", beta);
  }
};

MOTE_KERNEL void softmax_f32(const SoftmaxFloat& p, const float* in, float* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    const float largest = largest_of(in, p.depth);
    float sum = 0.0f;
    for (int32_t i = 0; i < p.depth; ++i) {
      out[i] = exp_f32((in[i] - largest) * p.beta);
      sum += out[i];
    }
    for (int32_t i = 0; i < p.depth; ++i) out[i] /= sum;
    in += p.depth;
    out += p.depth;
  }
}

}  // namespace nn
