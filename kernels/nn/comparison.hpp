// SPDX-License-Identifier: Apache-2.0
// Comparisons of two numbers and logic on truth values; both give 0 or 1.
#pragma once

#include "nn/arithmetic.hpp"

namespace nn {

struct Equal : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a == b;
  }
};

struct NotEqual : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a != b;
  }
};

struct Less : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a < b;
  }
};

struct LessEqual : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a <= b;
  }
};

struct Greater : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a > b;
  }
};

struct GreaterEqual : Plain {
  template <class T>
  MOTE_KERNEL bool operator()(T a, T b) const {
    return a >= b;
  }
};

struct LogicalAnd : Plain {
  MOTE_KERNEL bool operator()(uint8_t a, uint8_t b) const { return a != 0 && b != 0; }
};

struct LogicalOr : Plain {
  MOTE_KERNEL bool operator()(uint8_t a, uint8_t b) const { return (a | b) != 0; }
};

// Quantised numbers, compared as reals that are rounded to 1/256.
template <class Comparison>
struct CompareReals {
  int32_t zero_a, multiplier_a, shift_a;
  int32_t zero_b, multiplier_b, shift_b;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_a", zero_a);
    f("multiplier_a", multiplier_a);
    f("shift_a", shift_a);
    f("zero_b", zero_b);
    f("multiplier_b", multiplier_b);
    f("shift_b", shift_b);
  }
  MOTE_KERNEL bool operator()(int32_t a, int32_t b) const {
    return Comparison()(multiply_by_quantized_multiplier((a - zero_a) * 256, multiplier_a, shift_a),
                        multiply_by_quantized_multiplier((b - zero_b) * 256, multiplier_b, shift_b));
  }
};

}  // namespace nn
