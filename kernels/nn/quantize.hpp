// SPDX-License-Identifier: Apache-2.0
// Real numbers to quantised ones, and from one quantisation to another.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

struct Quantize {
  int32_t count;
  float scale;
  int32_t zero;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("scale", scale);
    f("zero", zero);
  }
};

// To the nearest integer, halves away from zero; at least 2^23 in magnitude for anything larger.
MOTE_KERNEL int32_t round_half_away(float value) {
  const int32_t bits = bits_of(value);
  const int32_t fraction_bits = 150 - ((bits >> 23) & 255);  // of the mantissa
  if (fraction_bits > 24) return 0;
  const int32_t mantissa = (bits & 0x7FFFFF) | 0x800000;
  const int32_t magnitude = fraction_bits < 1 ? mantissa : ((mantissa >> (fraction_bits - 1)) + 1) >> 1;
  return bits < 0 ? -magnitude : magnitude;
}

template <class T>
MOTE_KERNEL void quantize(const Quantize& p, const float* in, T* out) {
  constexpr int32_t low = static_cast<T>(-1) < 0 ? -(1 << (8 * sizeof(T) - 1)) : 0;
  constexpr int32_t high = low + ((1 << (8 * sizeof(T))) - 1);
  for (int32_t i = 0; i < p.count; ++i) {
    out[i] = static_cast<T>(clamp(round_half_away(in[i] / p.scale) + p.zero, low, high));
  }
}

MOTE_KERNEL void quantize_f32_s8(const Quantize& p, const float* in, int8_t* out) { quantize(p, in, out); }
MOTE_KERNEL void quantize_f32_u8(const Quantize& p, const float* in, uint8_t* out) { quantize(p, in, out); }
MOTE_KERNEL void quantize_f32_s16(const Quantize& p, const float* in, int16_t* out) { quantize(p, in, out); }

struct RequantizeElements {
  int32_t count;
  int32_t in_zero, multiplier, shift, out_zero;
  int32_t low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("in_zero", in_zero);
    f("multiplier", multiplier);
    f("shift", shift);
    f("out_zero", out_zero);
    f("low", low);
    f("high", high);
  }
};

// Differences and sums beyond 32 bits wrap.
template <class From, class To>
MOTE_KERNEL void requantize(const RequantizeElements& p, const From* in, To* out) {
  for (int32_t i = 0; i < p.count; ++i) {
    const uint32_t value = static_cast<uint32_t>(in[i]) - static_cast<uint32_t>(p.in_zero);
    const int32_t scaled = multiply_by_quantized_multiplier(static_cast<int32_t>(value), p.multiplier, p.shift);
    const uint32_t moved = static_cast<uint32_t>(scaled) + static_cast<uint32_t>(p.out_zero);
    out[i] = static_cast<To>(clamp(static_cast<int32_t>(moved), p.low, p.high));
  }
}

MOTE_KERNEL void requantize_s8_s8(const RequantizeElements& p, const int8_t* in, int8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s8_u8(const RequantizeElements& p, const int8_t* in, uint8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s8_s16(const RequantizeElements& p, const int8_t* in, int16_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s8_s32(const RequantizeElements& p, const int8_t* in, int32_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_u8_s8(const RequantizeElements& p, const uint8_t* in, int8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_u8_u8(const RequantizeElements& p, const uint8_t* in, uint8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s16_s8(const RequantizeElements& p, const int16_t* in, int8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s16_s16(const RequantizeElements& p, const int16_t* in, int16_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s16_s32(const RequantizeElements& p, const int16_t* in, int32_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s32_s8(const RequantizeElements& p, const int32_t* in, int8_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s32_s16(const RequantizeElements& p, const int32_t* in, int16_t* out) {
  requantize(p, in, out);
}
MOTE_KERNEL void requantize_s32_s32(const RequantizeElements& p, const int32_t* in, int32_t* out) {
  requantize(p, in, out);
}

// Between two quantisations of one scale whose zero points are 128 apart, the byte only changes its sign bit.
struct FlipSign {
  int32_t count;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

MOTE_KERNEL void flip_sign_8(const FlipSign& p, const uint8_t* in, uint8_t* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = static_cast<uint8_t>(in[i] ^ 0x80);
}

}  // namespace nn
