// SPDX-License-Identifier: Apache-2.0
// Hard sigmoid, a sigmoid of straight lines: the part that runs on the device. C++17, freestanding.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

struct HardSigmoid {
  int32_t count;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

MOTE_KERNEL void hard_sigmoid_s8(const HardSigmoid& p, const int8_t* in, const int8_t* table, int8_t* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = table[in[i] + 128];
}

MOTE_KERNEL void hard_sigmoid_f32(const HardSigmoid& p, const float* in, float* out) {
  for (int32_t i = 0; i < p.count; ++i) out[i] = clamp_f32(in[i] / 6.0f + 0.5f, 0.0f, 1.0f);
}

}  // namespace nn
