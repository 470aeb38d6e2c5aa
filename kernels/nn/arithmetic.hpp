// SPDX-License-Identifier: Apache-2.0
// Functions of two numbers: arithmetic on reals and plain integers, and on quantised ones.
#pragma once

#include <math.h>

#include "nn/elementwise.hpp"
#include "nn/fixed_exp.hpp"
#include "nn/float_math.hpp"
#include "nn/requantize.hpp"

namespace nn {

// Functions without parameters.
struct Plain {
  template <class F>
  constexpr void fields(F&&) const {}
};

// Integers wrap.
struct Sum : Plain {
  MOTE_KERNEL float operator()(float a, float b) const { return a + b; }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  }
  MOTE_KERNEL int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};

struct Difference : Plain {
  MOTE_KERNEL float operator()(float a, float b) const { return a - b; }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
  }
  MOTE_KERNEL int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
};

struct Product : Plain {
  MOTE_KERNEL float operator()(float a, float b) const { return a * b; }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
  }
  MOTE_KERNEL int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};

// Integers: towards zero; n / 0 is 0, and the lowest number divided by -1 is itself.
struct Quotient : Plain {
  MOTE_KERNEL float operator()(float a, float b) const { return a / b; }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    if (b == 0) return 0;
    if (b == -1) return static_cast<int32_t>(-static_cast<uint32_t>(a));
    return a / b;
  }
};

MOTE_KERNEL float floor_f32(float x) {
  if (!(x > -8388608.0f && x < 8388608.0f)) return x;  // 2^23: no fraction left
  const auto whole = static_cast<float>(static_cast<int32_t>(x));
  return whole > x ? whole - 1.0f : whole;
}

// Towards minus infinity; integers of up to 32 bits: as Quotient otherwise. (A template, because small integers
// are as near to float as to an int32_t that is a long.)
struct FloorQuotient : Plain {
  MOTE_KERNEL float operator()(float a, float b) const { return floor_f32(a / b); }
  template <class Integer>
  MOTE_KERNEL int32_t operator()(Integer a, Integer b) const {
    const int32_t quotient = Quotient()(int32_t{a}, int32_t{b});
    const bool exact = b == 0 || b == -1 || quotient * b == a;
    return !exact && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  }
};

// a - b * floor(a / b): the sign is that of b; n modulo 0 is 0.
struct FloorModulo : Plain {
  MOTE_KERNEL float operator()(float a, float b) const {
    const float rest = fmodf(a, b);
    return rest != 0.0f && (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
  }
  template <class Integer>
  MOTE_KERNEL int32_t operator()(Integer a, Integer b) const {
    if (b == 0 || b == -1) return 0;
    const int32_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
};

struct Maximum : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

struct Minimum : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};

// The angle of the point (x, y), from -pi to pi.
struct Atan2 : Plain {
  MOTE_KERNEL float operator()(float y, float x) const { return atan2_f32(y, x); }
};

struct ExclusiveOr : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};

// By 0 to all but one of the bits; others count as the nearest of these.
struct RightShift : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T a, T b) const {
    constexpr T most = static_cast<T>(8 * sizeof(T) - 1);
    return static_cast<T>(a >> (b < 0 ? T{0} : b < most ? b : most));
  }
};

struct SquaredDifference : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T a, T b) const {
    const T difference = Difference()(a, b);
    return Product()(difference, difference);
  }
};

// a^b = e^(b ln a), with the limits at 0 and infinity; a negative base takes whole exponents only.
struct Power : Plain {
  MOTE_KERNEL float operator()(float a, float b) const {
    if (b == 0.0f || a == 1.0f) return 1.0f;
    if (a != a || b != b) return a + b;
    if (a == 0.0f) return b > 0.0f ? 0.0f : __builtin_inff();
    const bool whole = floor_f32(b) == b;
    if (a < 0.0f && !whole) return __builtin_nanf("");
    const float half = b * 0.5f;
    const float sign = a < 0.0f && floor_f32(half) != half ? -1.0f : 1.0f;
    const float exponent = b * log_f32(a < 0.0f ? -a : a);
    return sign * (exponent > 88.7f ? __builtin_inff() : exp_f32(exponent));
  }
};

// value * 2^Headroom * multiplier / 2^31 * 2^shift with both roundings of multiply_by_quantized_multiplier, for a
// value of 9 bits (Headroom 20 or 7) or 16 (Headroom 15) and a shift of 0 or less.
template <int Headroom>
MOTE_KERNEL int32_t rescale_to_common(int32_t value, int32_t multiplier, int32_t shift) {
  if constexpr (Headroom < 15) {
    return multiply_by_quantized_multiplier(value * (1 << Headroom), multiplier, shift);
  } else {
    // Two 32-bit products stand for the 64-bit one: the multiplier's low bits and the rest.
    constexpr int32_t low_bits = 31 - Headroom;
    const int32_t low = value * (multiplier & ((1 << low_bits) - 1)) + (1 << (low_bits - 1));
    const int32_t product = value * (multiplier >> low_bits) + (low >> low_bits);
    return rounding_divide_by_power_of_two(product, -shift);
  }
}

// Combine(a, b) of quantised numbers that are brought to a common scale with `Headroom` more bits.
template <int Headroom, class Combine>
struct OnCommonScale {
  int32_t zero_a, multiplier_a, shift_a;
  int32_t zero_b, multiplier_b, shift_b;
  int32_t zero, multiplier, shift;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_a", zero_a);
    f("multiplier_a", multiplier_a);
    f("shift_a", shift_a);
    f("zero_b", zero_b);
    f("multiplier_b", multiplier_b);
    f("shift_b", shift_b);
    f("zero", zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    const int32_t value = Combine()(rescale_to_common<Headroom>(a - zero_a, multiplier_a, shift_a),
                                    rescale_to_common<Headroom>(b - zero_b, multiplier_b, shift_b));
    return clamp(multiply_by_quantized_multiplier(value, multiplier, shift) + zero, low, high);
  }
};

// Of bytes, (a * multiplier_a + b * multiplier_b + offset) / 2^shift, rounded down; no step exceeds 32 bits.
struct LinearSum {
  int32_t multiplier_a, multiplier_b, offset, shift, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("multiplier_a", multiplier_a), f("multiplier_b", multiplier_b), f("offset", offset), f("shift", shift);
    f("low", low), f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    return clamp((a * multiplier_a + b * multiplier_b + offset) >> shift, low, high);
  }
};

// a / b by a reciprocal in fixed point, as the reference has it. By zero: the end of the range on a's side.
struct QuantizedQuotient {
  int32_t zero_a, zero_b, zero, multiplier, shift, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_a", zero_a), f("zero_b", zero_b), f("zero", zero), f("multiplier", multiplier), f("shift", shift);
    f("low", low), f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t stored_a, int32_t stored_b) const {
    int32_t a = stored_a - zero_a, b = stored_b - zero_b;
    if (b < 0) a = -a, b = -b;
    if (a == 0) return clamp(zero, low, high);
    if (b == 0) return a > 0 ? high : low;
    const int leading = __builtin_clz(static_cast<uint32_t>(b));  // b = (1 + fraction) 2^(31 - leading)
    const auto fraction = static_cast<int32_t>((static_cast<uint32_t>(b) << leading) - 0x80000000U);
    const int headroom =
        a > 0 ? __builtin_clz(static_cast<uint32_t>(a)) - 1 : __builtin_clz(static_cast<uint32_t>(-2 * a - 1));
    const auto shifted = static_cast<int32_t>(static_cast<uint32_t>(a) << headroom);
    const int32_t quotient = saturating_rounding_doubling_high_mul(shifted, one_over_one_plus(fraction));
    const int right = 31 - leading + headroom - shift;
    const int32_t scaled = right > 31 ? 0 : multiply_by_quantized_multiplier(quotient, multiplier, -right);
    return clamp(scaled + zero, low, high);
  }
};

struct QuantizedProduct {
  int32_t zero_a, zero_b, zero, multiplier, shift;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_a", zero_a);
    f("zero_b", zero_b);
    f("zero", zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    const int32_t product = (a - zero_a) * (b - zero_b);
    return clamp(multiply_by_quantized_multiplier(product, multiplier, shift) + zero, low, high);
  }
};

// The same for numbers of 8 bits and a shift (to the right, less 1) from 2 to 22.
struct QuantizedProduct8 {
  int32_t zero_a, zero_b, zero, multiplier, shift;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("zero_a", zero_a);
    f("zero_b", zero_b);
    f("zero", zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t a, int32_t b) const {
    return Requantize(multiplier, shift, zero)((a - zero_a) * (b - zero_b), zero, low, high);
  }
};

}  // namespace nn

#if defined(__ARM_FEATURE_MVE)
#include "cortex_m_mve/linear_sum.hpp"
#include "cortex_m_mve/sum_on_common_scale.hpp"
#endif
