// SPDX-License-Identifier: Apache-2.0
// Convolution sums in which one 16-bit number carries the weights of two channels, requantised and stored.
#pragma once

#include <stdint.h>

#include "nn/copy_bytes.hpp"
#include "nn/fixed.hpp"

namespace nn {

// Two channels, a and b, share the 16-bit weights 256 * a + b. With sums modulo 2^32
//   S = sum of x * (256 a + b) = 256 A + B     and     B = sum of x * b, b being the sign-extended low byte,
// the sum of channel a is (S - B) / 256, exactly when it lies below 2^23. Sums of S take the weights as they are
// stored, so only half of them are ever unpacked, and flash holds one byte a weight.

// The work of one call: all channels of one or two pixels. The assembly knows the members' places.
struct Paired {
  const int32_t* scales;   // four channels: {256 a + b, b} of two pairs of biases, {multiplier, offset} of four
  uint32_t entry;          // bytes from the first product to the end of the unrolled loop
  const int8_t* values;    // 2x4: 16-bit, [pairs of taps][pixel][2]; 1x4: bytes
  const int8_t* end;       // of the whole steps in values
  const int16_t* weights;  // [channels / 4][pairs of taps][channel pair][2]
  int8_t *out0, *out1;     // equal for one pixel: the second's results are written first
  int32_t channels;
  int32_t clamps, low, high;  // clamps: 0 when low and high are those of 8 bits
  uint32_t tail;              // 1x4: the last, incomplete step; its weights beyond the taps are zero
  uint32_t has_tail;
};

// rescale(sum, multiplier, -s) + out_zero, saturated to 8 bits, for s >= 1: offset = 2^(s-1) + out_zero * 2^s,
// (2 * out_zero + 1) * 2^(s-1), says s by its zeros. The rounded product is below zero only if the sum is, and
// where it is zero, one less gives the same quotient: the sum's sign stands for the product's in the correction of
// ties.
MOTE_KERNEL int32_t requantize_paired(int32_t sum, int32_t multiplier, int32_t offset) {
  const int32_t product = static_cast<int32_t>((static_cast<int64_t>(2 * sum) * multiplier + 0x80000000LL) >> 32);
  const int32_t scaled = (product + offset + (sum >> 31)) >> __builtin_ctz(static_cast<uint32_t>(offset));
  return clamp(scaled >> 1, -128, 127);
}

// The lower and upper half of a word, and the low bytes of these, as signed numbers.
MOTE_KERNEL uint32_t dot_halves(uint32_t x, uint32_t w) {
  return static_cast<uint32_t>(static_cast<int16_t>(x) * static_cast<int16_t>(w)) +
         static_cast<uint32_t>(static_cast<int16_t>(x >> 16) * static_cast<int16_t>(w >> 16));
}
MOTE_KERNEL uint32_t low_bytes(uint32_t w) {
  return (static_cast<uint32_t>(static_cast<int8_t>(w)) & 0xFFFF) |
         static_cast<uint32_t>(static_cast<int8_t>(w >> 16)) << 16;
}

// How many steps the loops of the assembly are long.
constexpr int32_t unrolled_2x4 = MOTE_OPTIMIZE > 0 ? 8 : 2;
constexpr int32_t unrolled_1x4 = MOTE_OPTIMIZE > 0 ? 4 : 2;

// The first pass of a loop unrolled `unroll` times takes the steps that are over: it ends after that many bytes.
MOTE_KERNEL uint32_t paired_entry(int32_t steps, int32_t unroll, int32_t step_bytes) {
  return steps == 0 ? 0 : static_cast<uint32_t>(((steps - 1) % unroll + 1) * step_bytes);
}

}  // namespace nn

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED)
#include "cortex_m_dsp/multiply_paired.hpp"
#else

namespace nn {

// Bytes 0 and 2, and bytes 1 and 3, as pairs of 16 bits.
MOTE_KERNEL uint32_t even_bytes(uint32_t word) { return low_bytes(word); }
MOTE_KERNEL uint32_t odd_bytes(uint32_t word) { return low_bytes(word >> 8); }

// Adds one pair of taps of one pixel to the sums S, B of two pairs of channels.
MOTE_KERNEL void add_paired(uint32_t x, const int16_t* weights, uint32_t* sums) {
  for (int32_t i = 0; i < 2; ++i) {
    const uint32_t w = load_word(weights + 2 * i);
    sums[2 * i] += dot_halves(x, w);
    sums[2 * i + 1] += dot_halves(x, low_bytes(w));
  }
}

// Four channels (fewer at the end) of one pixel; `scales` behind the biases.
MOTE_KERNEL void finish_paired(const Paired& block, const uint32_t* sums, const int32_t* scales, int8_t* out) {
  for (int32_t c = 0; c < 4 && c < block.channels; ++c) {
    const int32_t sum =
        (c & 1) == 0 ? static_cast<int32_t>(sums[c] - sums[c + 1]) >> 8 : static_cast<int32_t>(sums[c]);
    const int32_t result = requantize_paired(sum, scales[2 * c], scales[2 * c + 1]);
    out[c] = static_cast<int8_t>(clamp(result, block.low, block.high));
  }
}

MOTE_KERNEL void multiply_paired_2x4(Paired& block) {
  for (; block.channels > 0; block.channels -= 4) {
    uint32_t sums[2][4];
    for (int32_t i = 0; i < 4; ++i) sums[0][i] = sums[1][i] = static_cast<uint32_t>(block.scales[i]);
    for (const int8_t* x = block.values; x < block.end; x += 8) {
      add_paired(load_word(x), block.weights, sums[0]);
      add_paired(load_word(x + 4), block.weights, sums[1]);
      block.weights += 4;
    }
    finish_paired(block, sums[1], block.scales + 4, block.out1);
    finish_paired(block, sums[0], block.scales + 4, block.out0);
    block.scales += 12, block.out0 += 4, block.out1 += 4;
  }
}

MOTE_KERNEL void multiply_paired_1x4(Paired& block) {
  for (; block.channels > 0; block.channels -= 4) {
    uint32_t sums[4];
    for (int32_t i = 0; i < 4; ++i) sums[i] = static_cast<uint32_t>(block.scales[i]);
    for (const int8_t* x = block.values; x < block.end + 4 * block.has_tail; x += 4) {
      const uint32_t word = x < block.end ? load_word(x) : block.tail;
      add_paired(even_bytes(word), block.weights, sums);
      add_paired(odd_bytes(word), block.weights + 4, sums);
      block.weights += 8;
    }
    finish_paired(block, sums, block.scales + 4, block.out0);
    block.scales += 12, block.out0 += 4;
  }
}

}  // namespace nn
#endif
