// SPDX-License-Identifier: Apache-2.0
// Fixed-point arithmetic: the only place that rounds, shifts and saturates. C++17, freestanding.
//
// The formulas are those of gemmlowp's fixedpoint.h (double rounding), which TensorFlow Lite's reference kernels
// use.
#pragma once

#include <stdint.h>

// What matters: 0 code size, 1 both, 2 speed. Generated code defines it.
#ifndef MOTE_OPTIMIZE
#ifdef __OPTIMIZE_SIZE__
#define MOTE_OPTIMIZE 0
#else
#define MOTE_OPTIMIZE 2
#endif
#endif

// Kernel bodies are forced inline: generated code decides whether one outlined instance serves many layers or a
// layer gets its own copy with constant parameters.
#define MOTE_KERNEL inline __attribute__((always_inline))
// The same for the lambdas that kernels hand to a shared walk.
#define MOTE_INLINE __attribute__((always_inline))
// In a kernel: is this a layer's own copy, with constant parameters? To be asked of a kernel's parameters only.
#define MOTE_IS_OWN(parameters) (__builtin_constant_p((parameters).in_channels) != 0)
// A function that is called, there once however many layers use it. Static: what MOTE_OPTIMIZE says differs
// between models.
#if defined(__clang__)
#define MOTE_SHARED static inline __attribute__((noinline))
#else
#define MOTE_SHARED static inline __attribute__((noinline, noclone))
#endif
// First statement of every function that is not inlined and writes through pointers. Optimising loops, g++ 12 may
// address a store by two registers and then take it for one through a null pointer, which has no meaning: a
// function without other effects counts as one without any, and calls of it disappear. No instruction comes of
// this.
#define MOTE_HAS_EFFECTS __asm__ volatile("" ::: "memory")

namespace nn {

MOTE_KERNEL int32_t clamp(int32_t value, int32_t low, int32_t high) {
  if (value < low) value = low;
  if (value > high) value = high;
  return value;
}

// floor(a * b / 2^32) from four products of halves (Warren, Hacker's Delight, 8-2).
MOTE_KERNEL int32_t high_product_of_halves(int32_t a, int32_t b) {
  const int32_t a_high = a >> 16, b_high = b >> 16;
  const uint32_t a_low = static_cast<uint32_t>(a) & 0xFFFF, b_low = static_cast<uint32_t>(b) & 0xFFFF;
  const int32_t upper = a_high * static_cast<int32_t>(b_low) + static_cast<int32_t>(a_low * b_low >> 16);
  const int32_t lower = static_cast<int32_t>(a_low) * b_high + (upper & 0xFFFF);
  return a_high * b_high + (upper >> 16) + (lower >> 16);
}

// round(a * b / 2^31) likewise, ties towards +infinity; not for both INT32_MIN.
MOTE_KERNEL int32_t rounded_double_product_of_halves(int32_t a, int32_t b) {
  const uint32_t low = static_cast<uint32_t>(a) * static_cast<uint32_t>(b);
  const uint32_t doubled = static_cast<uint32_t>(high_product_of_halves(a, b)) << 1 | low >> 31;
  return static_cast<int32_t>(doubled + (low >> 30 & 1));
}

// ARMv6-M and the lx106 do not multiply to 64 bits: a function of a library would.
#if defined(__ARM_ARCH_6M__) || defined(__XTENSA_CALL0_ABI__)
#define MOTE_PRODUCTS_OF_HALVES 1
#else
#define MOTE_PRODUCTS_OF_HALVES 0
#endif

// floor(a * b / 2^32)
MOTE_KERNEL int32_t high_product(int32_t a, int32_t b) {
  if (MOTE_PRODUCTS_OF_HALVES) return high_product_of_halves(a, b);
  return static_cast<int32_t>((static_cast<int64_t>(a) * b) >> 32);
}

// round(a * b / 2^31), ties towards +infinity; the one overflow (both INT32_MIN) saturates. Equals ARM's SQRDMULH.
MOTE_KERNEL int32_t saturating_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  if (MOTE_PRODUCTS_OF_HALVES) return rounded_double_product_of_halves(a, b);
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (int64_t{1} << 30)) >> 31);
}

// round(x / 2^exponent), ties away from zero; exponent 0 to 31. Equals ARM's SRSHL by -exponent with a sign
// fix-up.
MOTE_KERNEL int32_t rounding_divide_by_power_of_two(int32_t x, int exponent) {
  const int32_t mask = static_cast<int32_t>((uint32_t{1} << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

// x * multiplier / 2^31 * 2^shift with gemmlowp's two roundings; multiplier in [2^30, 2^31), shift -31 to 30.
// A left shift wraps as two's complement does.
MOTE_KERNEL int32_t multiply_by_quantized_multiplier(int32_t x, int32_t multiplier, int shift) {
  const int left = shift > 0 ? shift : 0;
  const int right = shift > 0 ? 0 : -shift;
  const int32_t shifted = static_cast<int32_t>(static_cast<uint32_t>(x) << left);
  return rounding_divide_by_power_of_two(saturating_rounding_doubling_high_mul(shifted, multiplier), right);
}

// The same of a sum of up to 48 bits, as the reference has it: the multiplier is rounded to 16 bits, the product
// once, halves towards +infinity; shift -31 to 7.
MOTE_KERNEL int32_t multiply_by_reduced_multiplier(int64_t x, int32_t multiplier, int shift) {
  const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int right = 15 - shift;
  return static_cast<int32_t>((x * reduced + (int64_t{1} << (right - 1))) >> right);
}

}  // namespace nn
