// SPDX-License-Identifier: Apache-2.0
// Fourier transform of real numbers, float or in fixed point with the roundings of KISS FFT, and its inverse.
//
// n real numbers are n / 2 complex ones: a complex transform of radix 4 (and 2 for the last stage of an odd power
// of two), then one pass that takes the two halves apart. Fixed point divides by n on the way, so that nothing
// overflows.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"

namespace nn {

struct Fft {
  int32_t rows;
  int32_t in_length, length, out_length;  // numbers a row; length is a power of two, at least 4

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("in_length", in_length), f("length", length), f("out_length", out_length);
  }
};

template <class T>
struct Complex {
  T real, imaginary;
};

// The arithmetic of one number type: products with fractions, and what fixed point divides by.
struct FftInt16 {
  using Number = int16_t;
  using Sum = int32_t;  // before it is cut to a number
  MOTE_KERNEL static int16_t rounded(int32_t product) { return static_cast<int16_t>((product + (1 << 14)) >> 15); }
  MOTE_KERNEL static int32_t product(int16_t a, int16_t b) { return a * b; }
  MOTE_KERNEL static int16_t divided(int16_t x, int16_t k) { return rounded(x * (32767 / k)); }
  MOTE_KERNEL static int16_t half(int32_t x) { return static_cast<int16_t>(x >> 1); }
  MOTE_KERNEL static int16_t cut(int32_t x) { return static_cast<int16_t>(x); }
  MOTE_KERNEL static int16_t shared_out(int16_t x, int32_t) { return x; }  // divided on the way already
};
struct FftInt32 {
  using Number = int32_t;
  using Sum = uint32_t;  // wraps
  MOTE_KERNEL static int32_t rounded(int64_t product) {
    return static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
  }
  MOTE_KERNEL static int64_t product(int32_t a, int32_t b) { return static_cast<int64_t>(a) * b; }
  MOTE_KERNEL static int32_t divided(int32_t x, int32_t k) {
    return rounded(static_cast<int64_t>(x) * (k == 2 ? INT32_MAX / 2 : INT32_MAX / 4));
  }
  MOTE_KERNEL static int32_t half(uint32_t x) { return static_cast<int32_t>(x) >> 1; }
  MOTE_KERNEL static int32_t cut(uint32_t x) { return static_cast<int32_t>(x); }
  MOTE_KERNEL static int32_t shared_out(int32_t x, int32_t) { return x; }
};
struct FftFloat {
  using Number = float;
  using Sum = float;
  MOTE_KERNEL static float rounded(float product) { return product; }
  MOTE_KERNEL static float product(float a, float b) { return a * b; }
  MOTE_KERNEL static float divided(float x, float) { return x; }
  MOTE_KERNEL static float half(float x) { return x * 0.5f; }
  MOTE_KERNEL static float cut(float x) { return x; }
  MOTE_KERNEL static float shared_out(float x, int32_t length) { return x / static_cast<float>(length); }
};

template <class A>
struct FftSteps {
  using Number = typename A::Number;
  using Sum = typename A::Sum;
  using Value = Complex<Number>;

  MOTE_KERNEL static Value add(Value a, Value b) {
    return {A::cut(Sum(a.real) + Sum(b.real)), A::cut(Sum(a.imaginary) + Sum(b.imaginary))};
  }
  MOTE_KERNEL static Value subtract(Value a, Value b) {
    return {A::cut(Sum(a.real) - Sum(b.real)), A::cut(Sum(a.imaginary) - Sum(b.imaginary))};
  }
  MOTE_KERNEL static Value multiply(Value a, Value b) {
    return {A::rounded(A::product(a.real, b.real) - A::product(a.imaginary, b.imaginary)),
            A::rounded(A::product(a.real, b.imaginary) + A::product(a.imaginary, b.real))};
  }
  MOTE_KERNEL static Value divide(Value a, Number k) {
    return {A::divided(a.real, k), A::divided(a.imaginary, k)};
  }
  // Times -i, or times i in an inverse transform.
  MOTE_KERNEL static Value turn(Value a, bool inverse) {
    return inverse ? Value{A::cut(Sum(0) - Sum(a.imaginary)), a.real}
                   : Value{a.imaginary, A::cut(Sum(0) - Sum(a.real))};
  }

  MOTE_KERNEL static void radix_2(Value* values, Value one, int32_t count) {
    for (int32_t i = 0; i < count; i += 2) {
      const Value a = divide(values[i], 2), b = multiply(divide(values[i + 1], 2), one);
      values[i] = add(a, b);
      values[i + 1] = subtract(a, b);
    }
  }

  // One stage: groups of 4 * m values, whose four quarters are combined. The twiddle factors of the whole
  // transform are e^(-+ 2 pi i k / count).
  MOTE_KERNEL static void radix_4(Value* values, const Value* twiddles, int32_t count, int32_t m, bool inverse) {
    const int32_t stride = count / (4 * m);
    for (int32_t group = 0; group < count; group += 4 * m) {
      for (int32_t k = 0; k < m; ++k) {
        Value* const v = values + group + k;
        const Value a = divide(v[0], 4);
        const Value b = multiply(divide(v[m], 4), twiddles[k * stride]);
        const Value c = multiply(divide(v[2 * m], 4), twiddles[2 * k * stride]);
        const Value d = multiply(divide(v[3 * m], 4), twiddles[3 * k * stride]);
        const Value minus = subtract(a, c), plus = add(a, c), odd = add(b, d);
        const Value turned = turn(subtract(b, d), inverse);
        v[0] = add(plus, odd);
        v[m] = add(minus, turned);
        v[2 * m] = subtract(plus, odd);
        v[3 * m] = subtract(minus, turned);
      }
    }
  }

  // Where position `index` takes its value from: base-4 digits reversed, the lowest bit of an odd power first.
  MOTE_KERNEL static int32_t source_of(int32_t index, int32_t count) {
    int32_t source = 0, step = 1;
    while (count > 1) {
      const int32_t radix = count >= 4 ? 4 : 2;
      count /= radix;
      source += index / count * step;
      index &= count - 1;
      step *= radix;
    }
    return source;
  }

  MOTE_KERNEL static void transform(Value* values, const Value* twiddles, int32_t count, bool inverse) {
    int32_t done = 1;
    if ((count & 0x2AAAAAAA) != 0) {  // an odd power of two
      radix_2(values, twiddles[0], count);
      done = 2;
    }
    for (; done < count; done *= 4) radix_4(values, twiddles, count, done, inverse);
  }
};

// twiddles: e^(-2 pi i k / n) for k < n = length / 2, then e^(-pi i ((k + 1) / n + 1/2)) for k < n / 2.
// work: length numbers.
template <class A>
MOTE_KERNEL void real_fft(const Fft& p, const typename A::Number* in, const typename A::Number* table,
                          typename A::Number* work, typename A::Number* out) {
  using Steps = FftSteps<A>;
  using Value = typename Steps::Value;
  using Sum = typename A::Sum;
  const int32_t n = p.length / 2;
  const auto* const twiddles = reinterpret_cast<const Value*>(table);
  auto* const values = reinterpret_cast<Value*>(work);
  for (int32_t row = 0; row < p.rows; ++row, in += p.in_length, out += p.out_length) {
    for (int32_t i = 0; i < n; ++i) {
      const int32_t source = 2 * Steps::source_of(i, n);
      values[i] = {source < p.in_length ? in[source] : typename A::Number{0},
                   source + 1 < p.in_length ? in[source + 1] : typename A::Number{0}};
    }
    Steps::transform(values, twiddles, n, false);
    auto* const result = reinterpret_cast<Value*>(out);
    const Value first = Steps::divide(values[0], 2);
    result[0] = {A::cut(Sum(first.real) + Sum(first.imaginary)), 0};
    result[n] = {A::cut(Sum(first.real) - Sum(first.imaginary)), 0};
    for (int32_t k = 1; k <= n / 2; ++k) {
      const Value a = Steps::divide(values[k], 2);
      const Value b = Steps::divide({values[n - k].real, A::cut(Sum(0) - Sum(values[n - k].imaginary))}, 2);
      const Value even = Steps::add(a, b);
      const Value odd = Steps::multiply(Steps::subtract(a, b), twiddles[n + k - 1]);
      result[k] = {A::half(Sum(even.real) + Sum(odd.real)), A::half(Sum(even.imaginary) + Sum(odd.imaginary))};
      result[n - k] = {A::half(Sum(even.real) - Sum(odd.real)), A::half(Sum(odd.imaginary) - Sum(even.imaginary))};
    }
  }
}

// The inverse: from length / 2 + 1 complex numbers a row (of the first and the last only the real parts count) to
// length real ones. twiddles: as above with the other sign of the angles. Floats are divided by the length in the
// end.
template <class A>
MOTE_KERNEL void inverse_real_fft(const Fft& p, const typename A::Number* in, const typename A::Number* table,
                                  typename A::Number* work, typename A::Number* out) {
  using Steps = FftSteps<A>;
  using Value = typename Steps::Value;
  using Sum = typename A::Sum;
  const int32_t n = p.length / 2;
  const auto* const twiddles = reinterpret_cast<const Value*>(table);
  auto* const joined = reinterpret_cast<Value*>(work);
  for (int32_t row = 0; row < p.rows; ++row, in += p.in_length, out += p.out_length) {
    const auto* const bins = reinterpret_cast<const Value*>(in);
    joined[0] = Steps::divide(
        {A::cut(Sum(bins[0].real) + Sum(bins[n].real)), A::cut(Sum(bins[0].real) - Sum(bins[n].real))}, 2);
    for (int32_t k = 1; k <= n / 2; ++k) {
      const Value a = Steps::divide(bins[k], 2);
      const Value b = Steps::divide({bins[n - k].real, A::cut(Sum(0) - Sum(bins[n - k].imaginary))}, 2);
      const Value even = Steps::add(a, b);
      const Value odd = Steps::multiply(Steps::subtract(a, b), twiddles[n + k - 1]);
      const Value other = Steps::subtract(even, odd);
      joined[k] = Steps::add(even, odd);
      joined[n - k] = {other.real, A::cut(Sum(0) - Sum(other.imaginary))};
    }
    auto* const values = reinterpret_cast<Value*>(out);
    for (int32_t i = 0; i < n; ++i) values[i] = joined[Steps::source_of(i, n)];
    Steps::transform(values, twiddles, n, true);
    for (int32_t i = 0; i < p.length; ++i) out[i] = A::shared_out(out[i], p.length);
  }
}

MOTE_KERNEL void irfft_s16(const Fft& p, const int16_t* in, const int16_t* twiddles, int16_t* work, int16_t* out) {
  inverse_real_fft<FftInt16>(p, in, twiddles, work, out);
}
MOTE_KERNEL void irfft_s32(const Fft& p, const int32_t* in, const int32_t* twiddles, int32_t* work, int32_t* out) {
  inverse_real_fft<FftInt32>(p, in, twiddles, work, out);
}
MOTE_KERNEL void irfft_f32(const Fft& p, const float* in, const float* twiddles, float* work, float* out) {
  inverse_real_fft<FftFloat>(p, in, twiddles, work, out);
}

MOTE_KERNEL void rfft_s16(const Fft& p, const int16_t* in, const int16_t* twiddles, int16_t* work, int16_t* out) {
  real_fft<FftInt16>(p, in, twiddles, work, out);
}
MOTE_KERNEL void rfft_s32(const Fft& p, const int32_t* in, const int32_t* twiddles, int32_t* work, int32_t* out) {
  real_fft<FftInt32>(p, in, twiddles, work, out);
}
MOTE_KERNEL void rfft_f32(const Fft& p, const float* in, const float* twiddles, float* work, float* out) {
  real_fft<FftFloat>(p, in, twiddles, work, out);
}

}  // namespace nn
