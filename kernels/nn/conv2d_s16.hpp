// SPDX-License-Identifier: Apache-2.0
// Convolution of 16-bit activations, whose zero points are 0, with 8-bit weights.
#pragma once

#include "nn/conv2d.hpp"
#include "nn/requantize.hpp"

namespace nn {

// Sums of 64 bits, the multiplier's upper 16 bits.
struct RequantizeSum64 {
  const int64_t* bias;
  const int32_t* multiplier;
  const int8_t* shift;
  int32_t low, high;

  MOTE_KERNEL uint64_t start(int32_t c) const { return static_cast<uint64_t>(bias[c]); }
  MOTE_KERNEL int16_t operator()(uint64_t sum, int32_t c) const {
    const int32_t scaled = multiply_by_reduced_multiplier(static_cast<int64_t>(sum), multiplier[c], shift[c]);
    return static_cast<int16_t>(clamp(scaled, low, high));
  }
};

// The same result for sums that were proven to fit 32 bits; `scales` is {bias, multiplier of halved_high_product}
// a channel.
struct RequantizeSum16 {
  const int32_t* scales;
  int32_t low, high;

  MOTE_KERNEL uint32_t start(int32_t c) const { return static_cast<uint32_t>(scales[2 * c]); }
  MOTE_KERNEL int16_t operator()(uint32_t sum, int32_t c) const {
    const int32_t scaled = halved_high_product(static_cast<int32_t>(sum), scales[2 * c + 1]);
    return static_cast<int16_t>(clamp(scaled, low, high));
  }
};

// weights as for conv2d_s8. This one handles everything.
MOTE_KERNEL void conv2d_s16(const Conv2d& p, const int16_t* in, const int8_t* weights, const int64_t* bias,
                            const int32_t* multiplier, const int8_t* shift, int16_t* out) {
  conv2d_plain(p, in, weights, out, uint64_t{0}, RequantizeSum64{bias, multiplier, shift, p.low, p.high});
}

MOTE_KERNEL void conv2d_narrow_s16(const Conv2d& p, const int16_t* in, const int8_t* weights,
                                   const int32_t* scales, int16_t* out) {
  conv2d_plain(p, in, weights, out, uint32_t{0}, RequantizeSum16{scales, p.low, p.high});
}

// With biases of 32 bits the reference sums and rounds as it does for int8.
MOTE_KERNEL void conv2d_bias32_s16(const Conv2d& p, const int16_t* in, const int8_t* weights, const int32_t* bias,
                                   const int32_t* multiplier, const int8_t* shift, int16_t* out) {
  conv2d_plain(p, in, weights, out, uint32_t{0},
               RequantizeSum<int16_t>{bias, multiplier, shift, 0, p.low, p.high});
}

}  // namespace nn
