// SPDX-License-Identifier: Apache-2.0
// Requantisation of sums of 20 bits where no instruction multiplies to 64 bits: three products instead of four.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/packed.hpp"

namespace nn {

// Equals Requantize for sums in (-2^20, 2^20) and shift from 2 to 15. The multiplier is m2 2^22 + m1 2^11 + m0,
// and nested floors join:
//   floor(sum * multiplier / 2^22) = sum * m2 + floor((sum * m1 + floor(sum * m0 / 2^11)) / 2^11)
// where no step exceeds 2^31. That is 2^8 times the product that Requantize adds its offset to.
struct RequantizeShort {
  int32_t low_part, middle_part, high_part, offset, shift;

  MOTE_KERNEL RequantizeShort(int32_t multiplier, int32_t channel_shift, int32_t twice_zero)
      : low_part(multiplier & 0x7FF),
        middle_part(multiplier >> 11 & 0x7FF),
        high_part(multiplier >> 22),
        offset((twice_zero * (1 << (channel_shift - 1)) + 1) * 256),
        shift(channel_shift + 8) {}

  MOTE_KERNEL int8_t operator()(int32_t sum, bool ties, int32_t low, int32_t high) const {
    const int32_t middle = sum * middle_part + (sum * low_part >> 11);
    const int32_t product = sum * high_part + (middle >> 11);
    const int32_t tie = ties ? (product >> 31) * 512 : 0;
    return static_cast<int8_t>(clamp((product + offset + tie) >> shift, low, high));
  }
};

// What `shift` of PackedConstants says of a channel whose sums are short, beside the shift.
constexpr int32_t short_sums = 128;

// What all channels share, once for many of them. The assembly knows the members' places.
struct ShortOutputs {
  int32_t twice_zero, low, high, step;  // the zero point twice, plus one; bytes from pixel to pixel
  int32_t ties;                         // whether results below the zero point survive

  MOTE_KERNEL explicit ShortOutputs(const Outputs& p)
      : twice_zero(2 * p.zero + 1), low(p.low), high(p.high), step(p.channels), ties(p.low < p.zero ? 1 : 0) {}
};

// Sums of one channel and `pixels` pixels to outputs.
MOTE_KERNEL void requantize_short(const ShortOutputs& p, const int32_t* sums, int32_t pixels, int32_t multiplier,
                                  int32_t shift, int8_t* out) {
  const RequantizeShort requantize(multiplier, shift, p.twice_zero);
  for (const int32_t* const end = sums + pixels; sums != end; out += p.step) {
    *out = requantize(*sums++, p.ties != 0, p.low, p.high);
  }
}

}  // namespace nn

// The same of four pixels.
#if defined(__XTENSA_CALL0_ABI__) && defined(__OPTIMIZE__) && !defined(__clang__)
#include "xtensa/requantize_short.hpp"
#else

namespace nn {

MOTE_KERNEL void requantize_four_short(const ShortOutputs& p, const int32_t* sums, int32_t multiplier,
                                       int32_t shift, int8_t* out) {
  requantize_short(p, sums, 4, multiplier, shift, out);
}

}  // namespace nn
#endif
