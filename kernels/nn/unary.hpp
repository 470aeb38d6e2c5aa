// SPDX-License-Identifier: Apache-2.0
// Functions of one number: reals in single precision without libm, quantised numbers of 16 bits, tables for 8
// bits.
#pragma once

#include <math.h>

#include "nn/arithmetic.hpp"
#include "nn/fixed_sigmoid.hpp"

namespace nn {

struct Count {
  int32_t count;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

// Any function of 8 bits: its 256 values, beginning with that of -128.
MOTE_KERNEL void lookup_s8(const Count& p, const int8_t* in, const int8_t* table, int8_t* out) {
  const int8_t* const middle = table + 128;
  for (int32_t i = 0; i < p.count; ++i) out[i] = middle[in[i]];
}

struct Logistic : Plain {
  MOTE_KERNEL float operator()(float x) const { return 1.0f / (1.0f + exp_f32(-x)); }
};

MOTE_KERNEL float tanh_f32(float x) { return 1.0f - 2.0f / (1.0f + exp_f32(2.0f * x)); }

struct Tanh : Plain {
  MOTE_KERNEL float operator()(float x) const { return tanh_f32(x); }
};

struct LeakyRelu {
  float slope;  // of negative numbers

  template <class F>
  constexpr void fields(F&& f) const {
    f("slope", slope);
  }
  MOTE_KERNEL float operator()(float x) const { return x > 0.0f ? x : x * slope; }
};

template <class T>
struct Clamp {
  T low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL T operator()(T x) const { return x < low ? low : x > high ? high : x; }
};

struct HardSwish : Plain {
  MOTE_KERNEL float operator()(float x) const { return x * clamp_f32(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6); }
};

struct Elu : Plain {
  MOTE_KERNEL float operator()(float x) const { return x < 0.0f ? exp_f32(x) - 1.0f : x; }
};

// By the error function, whose complement is e^(-z^2) times a polynomial in 1 / (1 + 0.3275911 z) to within 2e-7
// (Abramowitz and Stegun 7.1.26).
struct Gelu : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float z = (x < 0.0f ? -x : x) * 0.707106781f;
    const float t = 1.0f / (1.0f + 0.3275911f * z);
    const float factors[] = {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
    float sum = 1.061405429f;
    for (int k = 0; k < 4; ++k) sum = sum * t + factors[k];
    const float complement = sum * t * exp_f32(-z * z);
    return 0.5f * x * (x < 0.0f ? complement : 2.0f - complement);
  }
};

struct GeluByTanh : Plain {
  MOTE_KERNEL float operator()(float x) const {
    return 0.5f * x * (1.0f + tanh_f32(0.797884561f * (x + 0.044715f * x * x * x)));
  }
};

// The lowest integer is its own magnitude and negative.
struct Abs : Plain {
  MOTE_KERNEL float operator()(float x) const { return x < 0.0f ? -x : x; }
  MOTE_KERNEL int32_t operator()(int32_t x) const {
    return x < 0 ? static_cast<int32_t>(-static_cast<uint32_t>(x)) : x;
  }
};

struct Negative : Plain {
  MOTE_KERNEL float operator()(float x) const { return -x; }
  MOTE_KERNEL int32_t operator()(int32_t x) const { return static_cast<int32_t>(-static_cast<uint32_t>(x)); }
  MOTE_KERNEL int64_t operator()(int64_t x) const { return static_cast<int64_t>(-static_cast<uint64_t>(x)); }
};

// 1, 0 or -1.
struct Sign : Plain {
  template <class T>
  MOTE_KERNEL T operator()(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};

struct Exp : Plain {
  MOTE_KERNEL float operator()(float x) const { return x > 88.7f ? __builtin_inff() : exp_f32(x); }
};

struct Log : Plain {
  MOTE_KERNEL float operator()(float x) const {
    if (x < 0.0f) return __builtin_nanf("");
    return x == 0.0f ? -__builtin_inff() : log_f32(x);
  }
};

struct Sqrt : Plain {
  MOTE_KERNEL float operator()(float x) const { return sqrtf(x); }
};

struct ReciprocalSqrt : Plain {
  MOTE_KERNEL float operator()(float x) const { return 1.0f / sqrtf(x); }
};

struct Square : Plain {
  MOTE_KERNEL float operator()(float x) const { return x * x; }
};

// sin(x + quarters * pi / 2) to about 1e-6 for magnitudes up to 1e5. x = n pi/2 + r, then the Taylor series of r.
MOTE_KERNEL float sine_f32(float x, int32_t quarters) {
  if (!(x > -1e9f && x < 1e9f)) return __builtin_nanf("");
  const auto n = static_cast<int32_t>(x * 0.636619772f + (x < 0.0f ? -0.5f : 0.5f));
  const auto n_real = static_cast<float>(n);
  // pi / 2 in three parts: the first two have few bits, so that their products with n are exact.
  const float r = ((x - n_real * 1.5703125f) - n_real * 4.83751297e-4f) - n_real * 7.54978995e-8f;
  const float r2 = r * r;
  const int32_t quadrant = n + quarters;
  const float value = quadrant & 1
                          ? 1.0f + r2 * (-0.5f + r2 * (1.0f / 24 + r2 * (-1.0f / 720 + r2 * (1.0f / 40320))))
                          : r + r * r2 * (-1.0f / 6 + r2 * (1.0f / 120 + r2 * (-1.0f / 5040 + r2 / 362880)));
  return quadrant & 2 ? -value : value;
}

struct Sin : Plain {
  MOTE_KERNEL float operator()(float x) const { return sine_f32(x, 0); }
};

struct Cos : Plain {
  MOTE_KERNEL float operator()(float x) const { return sine_f32(x, 1); }
};

struct Floor : Plain {
  MOTE_KERNEL float operator()(float x) const { return floor_f32(x); }
};

struct Ceil : Plain {
  MOTE_KERNEL float operator()(float x) const { return -floor_f32(-x); }
};

// To the nearest integer, halves to the even one.
struct Round : Plain {
  MOTE_KERNEL float operator()(float x) const {
    const float low = floor_f32(x);
    const float rest = x - low;
    const bool up = rest > 0.5f || (rest == 0.5f && floor_f32(low * 0.5f) * 2.0f != low);
    return up ? low + 1.0f : low;
  }
};

struct LogicalNot : Plain {
  MOTE_KERNEL bool operator()(uint8_t x) const { return x == 0; }
};

// Quantised numbers through the origin: one slope for those above their zero point, another one below.
struct TwoSlopes {
  int32_t in_zero;
  int32_t multiplier_above, shift_above, multiplier_below, shift_below;
  int32_t zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("in_zero", in_zero);
    f("multiplier_above", multiplier_above);
    f("shift_above", shift_above);
    f("multiplier_below", multiplier_below);
    f("shift_below", shift_below);
    f("zero", zero);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t x) const {
    const int32_t value = x - in_zero;
    const int32_t multiplier = value >= 0 ? multiplier_above : multiplier_below;
    const int32_t shift = value >= 0 ? shift_above : shift_below;
    return clamp(multiply_by_quantized_multiplier(value, multiplier, shift) + zero, low, high);
  }
};

// Magnitude of a quantised number, rescaled.
struct QuantizedAbs {
  int32_t in_zero, multiplier, shift, zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("in_zero", in_zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("zero", zero);
    f("low", low);
    f("high", high);
  }
  MOTE_KERNEL int32_t operator()(int32_t x) const {
    const int32_t value = x < in_zero ? in_zero - x : x - in_zero;
    const int32_t scaled = multiplier == 0 ? value : multiply_by_quantized_multiplier(value, multiplier, shift);
    return clamp(scaled + zero, low, high);
  }
};

// Input of 16 bits for a function that a table interpolates: x * multiplier / 2^shift counts 12288ths.
struct Interpolate16 {
  int32_t count;
  int32_t multiplier, shift;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("multiplier", multiplier);
    f("shift", shift);
  }
  MOTE_KERNEL int32_t position(int32_t x) const {
    const int32_t half = shift > 0 ? 1 << (shift - 1) : 0;
    return (x * multiplier + half) >> shift;
  }
};

MOTE_KERNEL void logistic_s16(const Interpolate16& p, const int16_t* in, const uint16_t* table, int16_t* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = table_sigmoid(table, p.position(in[i]));
}

MOTE_KERNEL void tanh_s16(const Interpolate16& p, const int16_t* in, const uint16_t* table, int16_t* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = table_tanh(table, p.position(in[i]));
}

}  // namespace nn
