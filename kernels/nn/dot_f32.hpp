// SPDX-License-Identifier: Apache-2.0
// Sums of products of floats. Where there is no floating-point unit, the bits are computed here: library calls
// would pack each product and unpack it again.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/float_math.hpp"

namespace nn {

// With zeros, subnormal numbers, infinities, and for results beside the normal numbers.
inline __attribute__((noinline)) float multiply_add_rarely(float sum, float a, float b) { return sum + a * b; }

// A normal product: its value is mantissa * 2^(exponent - 150), the mantissa of 24 bits.
struct SoftProduct {
  uint32_t mantissa;
  int32_t exponent;

  // a and b are normal. Rounded to the nearest, halves to even.
  MOTE_KERNEL SoftProduct(uint32_t a, uint32_t b)
      : exponent(static_cast<int32_t>((a << 1 >> 24) + (b << 1 >> 24)) - 126) {
    const uint64_t product = static_cast<uint64_t>(a << 8 | 0x80000000U) * (b << 8 | 0x80000000U);
    auto high = static_cast<uint32_t>(product >> 32), low = static_cast<uint32_t>(product);
    if (high >> 31 == 0) high = high << 1 | low >> 31, low <<= 1, --exponent;
    high |= low != 0 ? 1U : 0U;  // what the rest is does not matter, only whether there is one
    mantissa = high >> 8;
    mantissa += (high & 255) + (mantissa & 1) > 128 ? 1U : 0U;
    exponent += static_cast<int32_t>(mantissa >> 24);
    mantissa >>= mantissa >> 24;
  }
};

// sum + a * b with both of IEEE's roundings to the nearest.
MOTE_KERNEL float soft_multiply_add(float sum_value, float a_value, float b_value) {
  const auto a = static_cast<uint32_t>(bits_of(a_value)), b = static_cast<uint32_t>(bits_of(b_value));
  const auto sum = static_cast<uint32_t>(bits_of(sum_value));
  const auto normal = [](uint32_t bits) MOTE_INLINE { return (bits << 1 >> 24) - 1 < 254; };
  // A product of 0 changes no sum but a zero; behind a ReLU there are many.
  if (a << 1 == 0 && normal(b) && normal(sum)) return sum_value;
  if (!normal(a) || !normal(b) || !normal(sum)) return multiply_add_rarely(sum_value, a_value, b_value);
  const SoftProduct product(a, b);
  if (product.exponent <= 0 || product.exponent >= 255) return multiply_add_rarely(sum_value, a_value, b_value);

  // The larger number in x, both with six bits for rounding; what shifts out of the smaller one sticks in its
  // last.
  uint32_t x = (sum << 9 >> 3) | 0x20000000U, y = product.mantissa << 6;
  auto exponent = static_cast<int32_t>(sum << 1 >> 24);
  uint32_t sign = sum & 0x80000000U;
  const uint32_t differs = (a ^ b ^ sum) & 0x80000000U;
  int32_t distance = exponent - product.exponent;
  if (distance < 0 || (distance == 0 && x < y)) {
    const uint32_t other = x;
    x = y, y = other;
    exponent = product.exponent, distance = -distance;
    sign ^= differs;
  }
  if (distance > 30) distance = 30;
  const uint32_t shifted = y >> distance;
  y = shifted | (shifted << distance != y ? 1U : 0U);
  if (differs == 0) {
    x += y;
    if (x >> 30 != 0) x = x >> 1 | (x & 1), ++exponent;
  } else {
    x -= y;
    if (x == 0) return 0.0f;
    while (x >> 29 == 0) x <<= 1, --exponent;
  }
  if (exponent <= 0 || exponent >= 254) return multiply_add_rarely(sum_value, a_value, b_value);
  uint32_t rounded = x >> 6;
  rounded += (x & 63) + (rounded & 1) > 32 ? 1U : 0U;
  return float_of(static_cast<int32_t>(sign | ((static_cast<uint32_t>(exponent - 1) << 23) + rounded)));
}

// sum + a[0] * b[0] + a[1] * b[1] …
#if MOTE_OPTIMIZE > 0 && defined(__riscv_mul) && !defined(__riscv_flen)
MOTE_SHARED float dot_f32(const float* a, const float* b, int32_t count, float sum) {
  for (int32_t i = 0; i < count; ++i) sum = soft_multiply_add(sum, a[i], b[i]);
  return sum;
}
#else
MOTE_KERNEL float dot_f32(const float* a, const float* b, int32_t count, float sum) {
  for (int32_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}
#endif

}  // namespace nn
