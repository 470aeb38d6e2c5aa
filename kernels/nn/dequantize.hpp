// SPDX-License-Identifier: Apache-2.0
// Quantised numbers to real ones: scale * (q - zero), correctly rounded.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

// scale = mantissa * 2^exponent with a mantissa of 24 bits.
struct Dequantize {
  int32_t count;
  int32_t mantissa, exponent, zero;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("mantissa", mantissa);
    f("exponent", exponent);
    f("zero", zero);
  }
};

// The product of `mantissa` and a magnitude of 8 bits times 2^exponent as a float, rounded to nearest even: in
// integers, because floating-point multiplication is a large routine on cores without it.
MOTE_KERNEL float scaled(int32_t mantissa, int32_t exponent, int32_t value) {
  if (value == 0) return 0.0f;
  uint32_t product = static_cast<uint32_t>(mantissa) * static_cast<uint32_t>(value < 0 ? -value : value);
  for (; product < 0x80000000U; product <<= 1) --exponent;
  uint32_t top = product >> 8;
  const uint32_t rest = product & 255;
  if (rest > 128 || (rest == 128 && (top & 1))) ++top;
  // The leading one of `top` adds 1 to the exponent field; rounding up to 2^24 carries into it.
  const uint32_t bits = (static_cast<uint32_t>(exponent + 127 + 30) << 23) + top;
  return float_of(static_cast<int32_t>(value < 0 ? bits | 0x80000000U : bits));
}

template <class T>
MOTE_KERNEL void dequantize(const Dequantize& p, const T* in, float* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = scaled(p.mantissa, p.exponent, in[i] - p.zero);
}

MOTE_KERNEL void dequantize_s8(const Dequantize& p, const int8_t* in, float* out) { dequantize(p, in, out); }
MOTE_KERNEL void dequantize_u8(const Dequantize& p, const uint8_t* in, float* out) { dequantize(p, in, out); }

struct DequantizeWide {
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

MOTE_KERNEL void dequantize_s16(const DequantizeWide& p, const int16_t* in, float* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = p.scale * static_cast<float>(in[i] - p.zero);
}

}  // namespace nn
