// SPDX-License-Identifier: Apache-2.0
// Products with weights of 4 or 2 bits: the sums of two channels share a number.
//
// x times (a + 2^16 b) adds x a to the lower half of a sum and x b to the upper one: two products for one
// multiplication. The halves come apart again while the lower one fits 16 bits, which the host has proven for a
// chunk of weights.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"

namespace nn {

// A word holds the weights of four channels and 8 / bits taps, each plus 2^(bits - 1): of channels 0 and 1 in the
// lowest bits of its lower and upper half, then of channels 2 and 3, then the next tap's.
// In front of a layer's weights stands the number of words in a chunk.
template <int32_t bits>
struct NarrowWeights {
  static constexpr int32_t taps = 8 / bits;
  static constexpr uint32_t lowest = ((uint32_t{1} << bits) - 1) * 0x10001;
  static constexpr uint32_t offset = (uint32_t{1} << (bits - 1)) * 0x10001;

  uint32_t word;

  // Two channels' weights, still with their offsets.
  MOTE_KERNEL uint32_t next() {
    const uint32_t pair = word & lowest;
    word >>= bits;
    return pair;
  }
};

// The two sums in a number.
MOTE_KERNEL int32_t low_half(uint32_t pair) { return static_cast<int16_t>(pair); }
MOTE_KERNEL int32_t high_half(uint32_t pair) {
  return static_cast<int32_t>(pair - static_cast<uint32_t>(low_half(pair))) >> 16;
}
MOTE_KERNEL void add_halves(uint32_t pair, int32_t* sums, int32_t distance) {
  sums[0] += low_half(pair), sums[distance] += high_half(pair);
}

// Two channels of four pixels.
struct FourPairs {
  uint32_t pair0 = 0, pair1 = 0, pair2 = 0, pair3 = 0;

  MOTE_KERNEL void add(const int8_t* values, uint32_t weights) {
    pair0 += static_cast<uint32_t>(values[0]) * weights, pair1 += static_cast<uint32_t>(values[1]) * weights;
    pair2 += static_cast<uint32_t>(values[2]) * weights, pair3 += static_cast<uint32_t>(values[3]) * weights;
  }

  // Makes the compiler finish these sums: more under way than registers hold would be stored and loaded again.
  MOTE_KERNEL void keep() {
    __asm__ volatile("" : "+r"(pair0), "+r"(pair1), "+r"(pair2), "+r"(pair3) : : "memory");
  }

  MOTE_KERNEL void store(uint32_t* to) const { to[0] = pair0, to[1] = pair1, to[2] = pair2, to[3] = pair3; }
};

// pairs[4 * (channel / 2) + pixel], each the sum over k of values[4 * k + pixel] * weights of two channels and k,
// of the words up to `end`. Called: its loop takes all registers.
template <int32_t bits>
MOTE_SHARED const int8_t* multiply_narrow_4x4(const int8_t* values, const uint32_t* weights, const uint32_t* end,
                                              uint32_t* pairs) {
  MOTE_HAS_EFFECTS;
  constexpr uint32_t offset = NarrowWeights<bits>::offset;
  FourPairs first, second;
  do {
    NarrowWeights<bits> some{*weights++};
    const auto tap = [&](int32_t k) MOTE_INLINE {
      first.add(values + 4 * k, some.next() - offset), second.add(values + 4 * k, some.next() - offset);
    };
    tap(0), first.keep(), second.keep(), tap(1);
    if (some.taps == 4) {
      first.keep(), second.keep(), tap(2);
      first.keep(), second.keep(), tap(3);
    }
    values += 4 * some.taps;
  } while (weights != end);
  first.store(pairs), second.store(pairs + 4);
  return values;
}

// What the last chunk's products are added to: the channels' biases, or sums that hold those already. The address
// for one channel and pixel is `sums` plus both steps.
struct NarrowSums {
  const int32_t* sums;
  int32_t channel_step, pixel_step;
};

// Writes the outputs of up to four channels (`left` of them are there) and up to four pixels.
MOTE_SHARED void write_narrow_outputs(const Outputs& p, const uint32_t* pairs, int32_t pixels, NarrowSums base,
                                      const int32_t* scales, const uint8_t* shift, int32_t left, int8_t* out) {
  MOTE_HAS_EFFECTS;
  for (int32_t c = 0; c < 4 && c < left; ++c) {
    const Requantize requantize(scales[2 * c + 1], shift[c], p.zero);
    const uint32_t* pair = pairs + (c & 2) * 2;
    const int32_t* sum = base.sums;
    int8_t* target = out + c;
    for (int32_t i = 0; i < pixels; ++i) {
      const int32_t half = (c & 1) == 0 ? low_half(*pair++) : high_half(*pair++);
      *target = requantize(*sum + half, p.zero, p.low, p.high);
      sum += base.pixel_step;
      target += p.channels;
    }
    base.sums += base.channel_step;
  }
}

// All channels of up to four pixels; values[4 * k + pixel], up to the next whole word's taps. Called, as
// pixels_4x4.
template <int32_t bits>
MOTE_SHARED void narrow_pixels_4x4(const Outputs& p, const int8_t* values, int32_t words, const int32_t* constants,
                                   int32_t pixels, int8_t* out) {
  MOTE_HAS_EFFECTS;
  PackedConstants packed(constants, p.channels);
  const auto* weights = reinterpret_cast<const uint32_t*>(packed.weights);
  const auto chunk = static_cast<int32_t>(*weights++);
  for (int32_t left = p.channels; left > 0; left -= 4) {
    uint32_t pairs[8];
    int32_t sums[16];
    NarrowSums base{packed.scales, 2, 0};
    const int8_t* value = values;
    const uint32_t* const end = weights + words;
    while (true) {
      const uint32_t* const stop = end - weights > chunk ? weights + chunk : end;
      value = multiply_narrow_4x4<bits>(value, weights, stop, pairs);
      weights = stop;
      if (weights == end) break;
      if (base.pixel_step == 0) {
        for (int32_t i = 0; i < 16; ++i) sums[i] = packed.scales[i / 4 * 2];
        base = {sums, 4, 1};
      }
      for (int32_t i = 0; i < 8; ++i) add_halves(pairs[i], sums + i + (i & 4), 4);
    }
    write_narrow_outputs(p, pairs, pixels, base, packed.scales, packed.shift, left, out);
    packed.scales += 8, packed.shift += 4, out += 4;
  }
}

// sums[channel] += sum over k of values[k] * weight of `channel` and k. The weights' offsets count with the
// sum of the values.
template <int32_t bits>
MOTE_KERNEL void multiply_narrow_1x4(const int8_t* values, int32_t taps, const uint32_t* weights, int32_t chunk,
                                     int32_t* sums) {
  using Weights = NarrowWeights<bits>;
  uint32_t first = 0, second = 0, total = 0;
  const auto tap = [&](Weights& some, int32_t k) MOTE_INLINE {
    const auto value = static_cast<uint32_t>(values[k]);
    total += value;
    first += value * some.next(), second += value * some.next();
  };
  const auto finish = [&]() MOTE_INLINE {
    add_halves(first - total * Weights::offset, sums, 1);
    add_halves(second - total * Weights::offset, sums + 2, 1);
    first = second = total = 0;
  };
  const uint32_t* const end = weights + taps / Weights::taps;  // of whole words
  while (weights != end) {
    const uint32_t* const stop = end - weights > chunk ? weights + chunk : end;
    do {
      Weights some{*weights++};
      tap(some, 0), tap(some, 1);
      if (Weights::taps == 4) tap(some, 2), tap(some, 3);
      values += Weights::taps;
    } while (weights != stop);
    finish();
  }
  const int32_t left = taps % Weights::taps;
  if (left != 0) {
    Weights some{*weights};
    for (int32_t k = 0; k < left; ++k) tap(some, k);
    finish();
  }
}

// All channels of one pixel. Called, as pixel_1x4.
template <int32_t bits>
MOTE_SHARED void narrow_pixel_1x4(const Outputs& p, const int8_t* values, int32_t taps, const int32_t* constants,
                                  int8_t* out) {
  MOTE_HAS_EFFECTS;
  PackedConstants packed(constants, p.channels);
  const auto* weights = reinterpret_cast<const uint32_t*>(packed.weights);
  const auto chunk = static_cast<int32_t>(*weights++);
  for (int32_t left = p.channels; left > 0; left -= 4) {
    int32_t sums[4] = {packed.scales[0], packed.scales[2], packed.scales[4], packed.scales[6]};
    multiply_narrow_1x4<bits>(values, taps, weights, chunk, sums);
    write_outputs(p, sums, 1, packed.scales, packed.shift, left, out);
    weights += (taps + NarrowWeights<bits>::taps - 1) / NarrowWeights<bits>::taps;
    packed.scales += 8, packed.shift += 4, out += 4;
  }
}

}  // namespace nn
