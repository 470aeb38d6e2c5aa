// SPDX-License-Identifier: Apache-2.0
// Products of bytes without signs, for cores that load bytes in no other way: values and weights are 128 more than
// what they stand for. With u = x + 128 and v = w + 128
//   sum of x w = sum of u v - 128 (sum of u) - 128 (sum of w)
// modulo 2^32, whatever the sums on the right come to. The last term is part of the channel's bias, the one before
// it is the same for all channels of a pixel: its correction. Taps that fill up have v = 0.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"
#include "nn/requantize_short.hpp"

namespace nn {

// 128 more than the signed byte at `value`.
MOTE_KERNEL uint32_t plus_128(const int8_t* value) { return static_cast<uint8_t>(*value) ^ 0x80U; }

}  // namespace nn

// sums[4 * channel + pixel] = scales[2 * channel] + corrections[pixel] + sum over k of values[4 * k + pixel] *
// weights[4 * k + channel], for four pixels, two channels and k < taps, rounded up to an even number of them.
// And sums[channel] += sum over k of (values[step * k] + 128) * weights of the channel, four channels' at
// weights0[4 * k] and four at weights1[4 * k].
#if defined(__XTENSA_CALL0_ABI__) && defined(__OPTIMIZE__) && !defined(__clang__)
#include "xtensa/multiply_unsigned.hpp"
#else

namespace nn {

MOTE_KERNEL void multiply_4x2(const uint8_t* values, const uint8_t* weights, int32_t taps, const int32_t* scales,
                              const int32_t* corrections, int32_t* sums) {
  for (int32_t pixel = 0; pixel < 4; pixel += 2) {
    const uint32_t correction0 = static_cast<uint32_t>(corrections[pixel]);
    const uint32_t correction1 = static_cast<uint32_t>(corrections[pixel + 1]);
    uint32_t sum00 = static_cast<uint32_t>(scales[0]) + correction0, sum01 = sum00 - correction0 + correction1;
    uint32_t sum10 = static_cast<uint32_t>(scales[2]) + correction0, sum11 = sum10 - correction0 + correction1;
    const uint8_t* value = values + pixel;
    const uint8_t* weight = weights;
    for (int32_t k = 0; k < taps; k += 2) {
      for (int32_t i = 0; i < 8; i += 4) {
        const uint32_t value0 = value[i], value1 = value[i + 1], weight0 = weight[i], weight1 = weight[i + 1];
        sum00 += value0 * weight0, sum01 += value1 * weight0;
        sum10 += value0 * weight1, sum11 += value1 * weight1;
      }
      value += 8, weight += 8;
    }
    sums[pixel] = static_cast<int32_t>(sum00), sums[pixel + 1] = static_cast<int32_t>(sum01);
    sums[4 + pixel] = static_cast<int32_t>(sum10), sums[5 + pixel] = static_cast<int32_t>(sum11);
  }
}

MOTE_KERNEL void multiply_1x8(const int8_t* values, int32_t step, int32_t taps, const uint8_t* weights0,
                              const uint8_t* weights1, int32_t* sums) {
  for (int32_t half = 0; half < 2; ++half) {
    const uint8_t* weights = half == 0 ? weights0 : weights1;
    const int8_t* value = values;
    for (int32_t k = 0; k < taps; ++k) {
      for (int32_t c = 0; c < 4; ++c) {
        sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + plus_128(value) * weights[c]);
      }
      value += step, weights += 4;
    }
    sums += 4;
  }
}

}  // namespace nn
#endif

namespace nn {

// The correction for the sum of a pixel's values.
MOTE_KERNEL int32_t unsigned_correction(uint32_t sum) { return static_cast<int32_t>(0U - 128 * sum); }

// Adds 128 to the values of four pixels, which are a word a tap, and finds their corrections.
MOTE_KERNEL void add_128_to_four(uint32_t* words, int32_t taps, int32_t* corrections) {
  constexpr uint32_t low_bytes = 0x00FF00FF;
  uint32_t sums[4] = {0, 0, 0, 0};
  while (taps > 0) {
    // Two sums in a word: as many as fit 16 bits.
    uint32_t even = 0, odd = 0;
    for (const uint32_t* const end = words + (taps < 257 ? taps : 257); words != end; ++words) {
      const uint32_t word = *words ^ 0x80808080;
      *words = word;
      even += word & low_bytes;
      odd += (word >> 8) & low_bytes;
    }
    sums[0] += even & 0xFFFF, sums[1] += odd & 0xFFFF, sums[2] += even >> 16, sums[3] += odd >> 16;
    taps -= 257;
  }
  for (int32_t pixel = 0; pixel < 4; ++pixel) corrections[pixel] = unsigned_correction(sums[pixel]);
}

// As write_outputs, where `shift` says which channels' sums are short.
MOTE_KERNEL void write_four_short(const Outputs& p, const ShortOutputs& shared, const int32_t* sums,
                                  const int32_t* scales, const uint8_t* shift, int8_t* out) {
  if (__builtin_expect(*shift >= short_sums, true)) {
    requantize_four_short(shared, sums, scales[1], *shift - short_sums, out);
  } else {
    write_outputs(p, sums, 4, scales, shift, 1, out);
  }
}

// The same of a single pixel and up to eight channels.
MOTE_SHARED void write_one_short(const Outputs& p, const int32_t* sums, const int32_t* scales,
                                 const uint8_t* shift, int32_t left, int8_t* out) {
  MOTE_HAS_EFFECTS;
  const ShortOutputs shared(p);
  for (const uint8_t* const end = shift + (left < 8 ? left : 8); shift != end; ++shift) {
    if (__builtin_expect(*shift >= short_sums, true)) {
      requantize_short(shared, sums, 1, scales[1], *shift - short_sums, out);
    } else {
      write_outputs(p, sums, 1, scales, shift, 1, out);
    }
    ++sums, scales += 2, ++out;
  }
}

// All channels of four pixels, whose values are a word a tap, as signed bytes yet. `constants` as PackedConstants
// has them, the weights 128 more.
MOTE_SHARED void pixels_4x4_unsigned(const Outputs& p, uint32_t* words, int32_t taps, const int32_t* constants,
                                     int8_t* out) {
  MOTE_HAS_EFFECTS;
  int32_t corrections[4], sums[8];
  add_128_to_four(words, taps, corrections);
  const uint8_t* const values = reinterpret_cast<const uint8_t*>(words);
  const ShortOutputs shared(p);
  PackedConstants packed(constants, p.channels);
  const uint8_t* weights = reinterpret_cast<const uint8_t*>(packed.weights);
  const uint8_t* const shift = packed.shift;
  const int32_t next = 4 * ((taps + 1) & ~1) - 2;  // from the third channel of four on to the next four
  for (int32_t left = p.channels; left > 0; left -= 2) {
    multiply_4x2(values, weights, taps, packed.scales, corrections, sums);
    for (const int32_t* sum = sums; sum != sums + (left > 1 ? 8 : 4); sum += 4) {
      write_four_short(p, shared, sum, packed.scales, packed.shift, out);
      packed.scales += 2, ++packed.shift, ++out;
    }
    weights += ((packed.shift - shift) & 2) != 0 ? 2 : next;
  }
}

// All channels of one pixel, whose values are signed bytes and lie `step` bytes apart.
MOTE_SHARED void pixel_1x8_unsigned(const Outputs& p, const int8_t* values, int32_t step, int32_t taps,
                                    const int32_t* constants, int8_t* out) {
  MOTE_HAS_EFFECTS;
  uint32_t sum = 0;
  const int8_t* value = values;
  for (int32_t k = taps; k != 0; --k, value += step) sum += plus_128(value);
  const uint32_t correction = static_cast<uint32_t>(unsigned_correction(sum));
  PackedConstants packed(constants, p.channels);
  const int32_t group = 4 * ((taps + 1) & ~1);
  for (int32_t left = p.channels; left > 0; left -= 8) {
    // Four channels that come alone are multiplied twice.
    const int32_t second = left > 4 ? group : 0;
    int32_t sums[8];
    for (int32_t c = 0; c < 8; ++c) {
      sums[c] =
          static_cast<int32_t>(static_cast<uint32_t>(packed.scales[c < 4 || left > 4 ? 2 * c : 0]) + correction);
    }
    const uint8_t* const weights = reinterpret_cast<const uint8_t*>(packed.weights);
    multiply_1x8(values, step, taps, weights, weights + second, sums);
    write_one_short(p, sums, packed.scales, packed.shift, left, out);
    packed.weights += 2 * group;
    packed.scales += 16, packed.shift += 8, out += 8;
  }
}

}  // namespace nn
