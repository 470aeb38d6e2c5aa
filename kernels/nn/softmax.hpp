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

// The output's scale is 1/256, its zero point -128.
MOTE_KERNEL void softmax_s8(const Softmax& p, const int8_t* in, int8_t* out) {
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
          sum += rounding_divide_by_power_of_two(exponential, 12);
        } else {
          const int32_t share = rounding_divide_by_power_of_two(multiply_fractions(reciprocal, exponential),
                                                                bits_over_unit + 31 - 8);
          out[i] = static_cast<int8_t>((share > 255 ? 255 : share) - 128);
        }
      }
      if (pass == 0) {
        auto normal = static_cast<uint32_t>(sum);  // at least 2^19: the maximum itself counts
        for (bits_over_unit = 12; normal < 0x80000000U; normal <<= 1) --bits_over_unit;
        // 512 equal elements or more: every share is below half an output step.
        reciprocal = bits_over_unit > 8 ? 0 : one_over_one_plus(static_cast<int32_t>(normal & 0x7FFFFFFFU));
        if (bits_over_unit > 8) bits_over_unit = 8;
      }
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
