// SPDX-License-Identifier: Apache-2.0
// Arithmetic that the ESP8266 keeps in its ROM and that gcc's libgcc for the lx106 therefore leaves out.
//
// IEEE 754 binary32 and binary64, round to nearest even, with subnormals; a NaN result is quiet and positive.
// Nothing here may use an operation that compiles to a call of the function that implements it: no 64-bit product,
// no division.
#include <stdint.h>

namespace {

// 32 x 32 -> 64 bits from products of 16-bit halves.
inline uint64_t multiply_wide(uint32_t a, uint32_t b) {
  const uint32_t a_low = a & 0xffff, a_high = a >> 16, b_low = b & 0xffff, b_high = b >> 16;
  const uint32_t low = a_low * b_low;
  const uint32_t middle = a_high * b_low + (low >> 16);  // at most 2^32 - 2^16
  const uint32_t other = a_low * b_high + (middle & 0xffff);
  const uint32_t high = a_high * b_high + (middle >> 16) + (other >> 16);
  return (static_cast<uint64_t>(high) << 32) | (other << 16) | (low & 0xffff);
}

struct Quotient {
  uint32_t quotient, remainder;
};

inline Quotient divide(uint32_t dividend, uint32_t divisor) {
  if (divisor > dividend || divisor == 0) return {0, dividend};
  int shift = __builtin_clz(divisor) - __builtin_clz(dividend);
  uint32_t quotient = 0;
  divisor <<= shift;
  for (; shift >= 0; --shift, divisor >>= 1) {
    quotient <<= 1;
    if (dividend >= divisor) {
      dividend -= divisor;
      quotient |= 1;
    }
  }
  return {quotient, dividend};
}

inline int leading_zeros(uint32_t value) { return __builtin_clz(value); }
inline int leading_zeros(uint64_t value) {
  const uint32_t high = static_cast<uint32_t>(value >> 32);
  return high != 0 ? __builtin_clz(high) : 32 + __builtin_clz(static_cast<uint32_t>(value));
}

template <class Bits, int mantissa_bits, int exponent_bits>
struct Format {
  using Word = Bits;
  static constexpr int mantissa = mantissa_bits;
  static constexpr int width = mantissa_bits + exponent_bits + 1;
  static constexpr int infinite = (1 << exponent_bits) - 1;
  static constexpr int bias = infinite >> 1;
  static constexpr Bits hidden = Bits{1} << mantissa_bits;
  static constexpr Bits leading = hidden << 3;  // of a significand with guard, round and sticky bit
  static constexpr Bits sign_bit = Bits{1} << (width - 1);
  static constexpr Bits infinity = Bits{infinite} << mantissa_bits;
  static constexpr Bits nan = infinity | (hidden >> 1);

  static int exponent(Bits bits) { return static_cast<int>(bits >> mantissa_bits) & infinite; }
  static Bits fraction(Bits bits) { return bits & (hidden - 1); }
  static Bits sign(Bits bits) { return bits & sign_bit; }
  static bool is_nan(Bits bits) { return exponent(bits) == infinite && fraction(bits) != 0; }
  static bool is_zero(Bits bits) { return (bits & ~sign_bit) == 0; }
};
using Single = Format<uint32_t, 23, 8>;
using Double = Format<uint64_t, 52, 11>;

// Shifts right; bits that fall off set the lowest one.
template <class Word>
Word shift_right_jam(Word value, int shift) {
  if (shift == 0) return value;
  if (shift >= static_cast<int>(sizeof(Word) * 8)) return value != 0;
  return (value >> shift) | ((value << (static_cast<int>(sizeof(Word) * 8) - shift)) != 0);
}

// Significand with three extra bits, its leading bit in place unless exponent is 1 and the value subnormal. A
// mantissa that overflows carries into the exponent, up to infinity.
template <class F, class Word = typename F::Word>
Word round(Word sign, int exponent, Word significand) {
  if (exponent < 1) {
    significand = shift_right_jam(significand, 1 - exponent);
    exponent = 1;
  }
  if (exponent >= F::infinite) return sign | F::infinity;
  const uint32_t rest = static_cast<uint32_t>(significand) & 7;
  Word mantissa = significand >> 3;
  if (rest > 4 || (rest == 4 && (mantissa & 1) != 0)) ++mantissa;
  return sign | ((static_cast<Word>(exponent - 1) << F::mantissa) + mantissa);
}

template <class F, class Word = typename F::Word>
struct Unpacked {
  int exponent;
  Word significand;
};

// Finite values; a subnormal keeps exponent 1 and has no leading bit.
template <class F, class Word = typename F::Word>
Unpacked<F> unpack(Word bits) {
  const int exponent = F::exponent(bits);
  const Word fraction = F::fraction(bits);
  return exponent == 0 ? Unpacked<F>{1, fraction} : Unpacked<F>{exponent, fraction | F::hidden};
}

// The leading bit moved to its place; the value must not be zero.
template <class F, class Word = typename F::Word>
Unpacked<F> normalize(Word bits) {
  Unpacked<F> value = unpack<F>(bits);
  const int shift = leading_zeros(value.significand) - (static_cast<int>(sizeof(Word) * 8) - 1 - F::mantissa);
  return {value.exponent - shift, value.significand << shift};
}

template <class F, class Word = typename F::Word>
Word add(Word a, Word b) {
  if (F::is_nan(a) || F::is_nan(b)) return F::nan;
  if ((a & ~F::sign_bit) < (b & ~F::sign_bit)) {
    const Word larger = b;
    b = a;
    a = larger;
  }
  const bool subtract = F::sign(a) != F::sign(b);
  if (F::exponent(a) == F::infinite) return subtract && F::exponent(b) == F::infinite ? F::nan : a;
  const Unpacked<F> large = unpack<F>(a), small = unpack<F>(b);
  int exponent = large.exponent;
  const Word other = shift_right_jam(small.significand << 3, exponent - small.exponent);
  Word sum = large.significand << 3;
  if (subtract) {
    sum -= other;
    if (sum == 0) return 0;
    int shift = leading_zeros(sum) - (static_cast<int>(sizeof(Word) * 8) - 1 - F::mantissa - 3);
    if (shift > exponent - 1) shift = exponent - 1;
    return round<F>(F::sign(a), exponent - shift, sum << shift);
  }
  sum += other;
  if (sum >= F::leading << 1) {
    sum = shift_right_jam(sum, 1);
    ++exponent;
  }
  return round<F>(F::sign(a), exponent, sum);
}

// Product of normalised significands, with its leading bit at mantissa + 3 or one above.
inline uint32_t multiply_significands(uint32_t a, uint32_t b) {
  const uint64_t product = multiply_wide(a, b);
  return static_cast<uint32_t>(product >> 20) | ((static_cast<uint32_t>(product) & 0xfffff) != 0);
}
inline uint64_t multiply_significands(uint64_t a, uint64_t b) {
  const uint32_t a_low = static_cast<uint32_t>(a), a_high = static_cast<uint32_t>(a >> 32);
  const uint32_t b_low = static_cast<uint32_t>(b), b_high = static_cast<uint32_t>(b >> 32);
  const uint64_t low = multiply_wide(a_low, b_low);
  const uint64_t middle = multiply_wide(a_high, b_low) + (low >> 32);  // significands have 53 bits: cannot wrap
  const uint64_t other = multiply_wide(a_low, b_high) + static_cast<uint32_t>(middle);
  const uint64_t high = multiply_wide(a_high, b_high) + (middle >> 32) + (other >> 32);
  const uint64_t rest = (other << 32) | static_cast<uint32_t>(low);
  return (high << 15) | (rest >> 49) | ((rest << 15) != 0);
}

template <class F, class Word = typename F::Word>
Word multiply(Word a, Word b) {
  const Word sign = F::sign(a ^ b);
  if (F::is_nan(a) || F::is_nan(b)) return F::nan;
  if (F::exponent(a) == F::infinite || F::exponent(b) == F::infinite) {
    return F::is_zero(a) || F::is_zero(b) ? F::nan : sign | F::infinity;
  }
  if (F::is_zero(a) || F::is_zero(b)) return sign;
  const Unpacked<F> x = normalize<F>(a), y = normalize<F>(b);
  int exponent = x.exponent + y.exponent - F::bias;
  Word product = multiply_significands(x.significand, y.significand);
  if (product >= F::leading << 1) {
    product = shift_right_jam(product, 1);
    ++exponent;
  }
  return round<F>(sign, exponent, product);
}

// One bit of the quotient at a time.
template <class F, class Word = typename F::Word>
Word quotient(Word a, Word b) {
  const Word sign = F::sign(a ^ b);
  if (F::is_nan(a) || F::is_nan(b)) return F::nan;
  if (F::exponent(a) == F::infinite) return F::exponent(b) == F::infinite ? F::nan : sign | F::infinity;
  if (F::exponent(b) == F::infinite) return sign;
  if (F::is_zero(b)) return F::is_zero(a) ? F::nan : sign | F::infinity;
  if (F::is_zero(a)) return sign;
  Unpacked<F> x = normalize<F>(a);
  const Unpacked<F> y = normalize<F>(b);
  int exponent = x.exponent - y.exponent + F::bias;
  if (x.significand < y.significand) {
    x.significand <<= 1;
    --exponent;
  }
  Word result = 0;
  for (int bit = 0; bit < F::mantissa + 4; ++bit) {
    result <<= 1;
    if (x.significand >= y.significand) {
      x.significand -= y.significand;
      result |= 1;
    }
    x.significand <<= 1;
  }
  return round<F>(sign, exponent, result | (x.significand != 0));
}

template <class F, class Word = typename F::Word>
Word from_integer(uint32_t magnitude, bool negative) {
  if (magnitude == 0) return 0;
  const int shift =
      leading_zeros(static_cast<Word>(magnitude)) - (static_cast<int>(sizeof(Word) * 8) - 4 - F::mantissa);
  const Word wide = magnitude;
  const Word significand = shift >= 0 ? wide << shift : shift_right_jam(wide, -shift);
  return round<F>(negative ? F::sign_bit : 0, F::bias + F::mantissa + 3 - shift, significand);
}

// Towards zero; saturates where C leaves the result undefined.
template <class F, class Word = typename F::Word>
uint32_t to_integer(Word bits, uint32_t largest) {
  const int exponent = F::exponent(bits) - F::bias;
  if (exponent < 0) return 0;
  if (exponent > 31) return largest;
  const Word significand = F::fraction(bits) | F::hidden;
  const int shift = F::mantissa - exponent;
  const uint32_t value = static_cast<uint32_t>(shift >= 0 ? significand >> shift : significand << -shift);
  return value > largest ? largest : value;
}

template <class F, class Word = typename F::Word>
int32_t to_signed(Word bits) {
  const bool negative = F::sign(bits) != 0;
  const uint32_t magnitude = to_integer<F>(bits, negative ? 0x80000000u : 0x7fffffffu);
  return static_cast<int32_t>(negative ? 0 - magnitude : magnitude);
}

template <class To, class From>
To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

uint32_t bits_of(float value) { return bit_cast<uint32_t>(value); }
uint64_t bits_of(double value) { return bit_cast<uint64_t>(value); }
float single_of(uint32_t bits) { return bit_cast<float>(bits); }
double double_of(uint64_t bits) { return bit_cast<double>(bits); }

inline uint32_t magnitude_of(int32_t value) {
  return value < 0 ? 0 - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
}

}  // namespace

extern "C" {

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t* remainder);  // libgcc has this one

uint64_t __umulsidi3(uint32_t a, uint32_t b) { return multiply_wide(a, b); }
uint64_t __muldi3(uint64_t a, uint64_t b) {
  const uint32_t a_low = static_cast<uint32_t>(a), b_low = static_cast<uint32_t>(b);
  const uint32_t cross = a_low * static_cast<uint32_t>(b >> 32) + static_cast<uint32_t>(a >> 32) * b_low;
  return multiply_wide(a_low, b_low) + (static_cast<uint64_t>(cross) << 32);
}

uint32_t __udivsi3(uint32_t a, uint32_t b) { return divide(a, b).quotient; }
uint32_t __umodsi3(uint32_t a, uint32_t b) { return divide(a, b).remainder; }
int32_t __divsi3(int32_t a, int32_t b) {
  const uint32_t result = divide(magnitude_of(a), magnitude_of(b)).quotient;
  return static_cast<int32_t>((a ^ b) < 0 ? 0 - result : result);
}
uint64_t __udivdi3(uint64_t a, uint64_t b) { return __udivmoddi4(a, b, nullptr); }
uint64_t __umoddi3(uint64_t a, uint64_t b) {
  uint64_t remainder;
  __udivmoddi4(a, b, &remainder);
  return remainder;
}
int64_t __divdi3(int64_t a, int64_t b) {
  const uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  const uint64_t result = __udivmoddi4(a < 0 ? 0 - x : x, b < 0 ? 0 - y : y, nullptr);
  return static_cast<int64_t>((a ^ b) < 0 ? 0 - result : result);
}

float __addsf3(float a, float b) { return single_of(add<Single>(bits_of(a), bits_of(b))); }
float __subsf3(float a, float b) { return single_of(add<Single>(bits_of(a), bits_of(b) ^ Single::sign_bit)); }
float __mulsf3(float a, float b) { return single_of(multiply<Single>(bits_of(a), bits_of(b))); }
float __floatsisf(int32_t value) { return single_of(from_integer<Single>(magnitude_of(value), value < 0)); }
float __floatunsisf(uint32_t value) { return single_of(from_integer<Single>(value, false)); }
uint32_t __fixunssfsi(float value) {
  const uint32_t bits = bits_of(value);
  return Single::sign(bits) != 0 ? 0 : to_integer<Single>(bits, 0xffffffffu);
}

double __adddf3(double a, double b) { return double_of(add<Double>(bits_of(a), bits_of(b))); }
double __subdf3(double a, double b) { return double_of(add<Double>(bits_of(a), bits_of(b) ^ Double::sign_bit)); }
double __muldf3(double a, double b) { return double_of(multiply<Double>(bits_of(a), bits_of(b))); }
double __divdf3(double a, double b) { return double_of(quotient<Double>(bits_of(a), bits_of(b))); }
double __floatsidf(int32_t value) { return double_of(from_integer<Double>(magnitude_of(value), value < 0)); }
double __floatunsidf(uint32_t value) { return double_of(from_integer<Double>(value, false)); }
int32_t __fixdfsi(double value) { return to_signed<Double>(bits_of(value)); }
uint32_t __fixunsdfsi(double value) {
  const uint64_t bits = bits_of(value);
  return Double::sign(bits) != 0 ? 0 : to_integer<Double>(bits, 0xffffffffu);
}

double __extendsfdf2(float value) {
  const uint32_t bits = bits_of(value);
  const uint64_t sign = static_cast<uint64_t>(Single::sign(bits)) << 32;
  if (Single::is_nan(bits)) return double_of(Double::nan);
  if (Single::exponent(bits) == Single::infinite) return double_of(sign | Double::infinity);
  if (Single::is_zero(bits)) return double_of(sign);
  const Unpacked<Single> x = normalize<Single>(bits);
  const uint64_t fraction = static_cast<uint64_t>(Single::fraction(x.significand)) << 29;
  const int exponent = x.exponent - Single::bias + Double::bias;
  return double_of(sign | (static_cast<uint64_t>(exponent) << Double::mantissa) | fraction);
}

float __truncdfsf2(double value) {
  const uint64_t bits = bits_of(value);
  const uint32_t sign = static_cast<uint32_t>(Double::sign(bits) >> 32);
  if (Double::is_nan(bits)) return single_of(Single::nan);
  if (Double::exponent(bits) == Double::infinite) return single_of(sign | Single::infinity);
  if (Double::is_zero(bits)) return single_of(sign);
  const Unpacked<Double> x = unpack<Double>(bits);
  const uint32_t significand = static_cast<uint32_t>(shift_right_jam(x.significand, 26));
  return single_of(round<Single>(sign, x.exponent - Double::bias + Single::bias, significand));
}

}  // extern "C"
