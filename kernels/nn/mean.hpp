// SPDX-License-Identifier: Apache-2.0
// Mean over any set of axes.
#pragma once

#include "nn/reduce.hpp"

namespace nn {

struct Mean {
  Reduce loops;
  int32_t offset;             // zero point of the input times the number of folded elements
  int32_t multiplier, shift;  // input scale / output scale / number of folded elements
  int32_t zero;

  template <class F>
  constexpr void fields(F&& f) const {
    f("loops", loops);
    f("offset", offset);
    f("multiplier", multiplier);
    f("shift", shift);
    f("zero", zero);
  }
};

MOTE_KERNEL void mean_s8(const Mean& p, const int8_t* in, int8_t* out) {
  reduce(
      p.loops, in, int32_t{0}, [](int32_t so_far, int8_t next) { return so_far + next; },
      [&](int32_t sum) MOTE_INLINE {
        const int32_t mean = multiply_by_quantized_multiplier(sum - p.offset, p.multiplier, p.shift) + p.zero;
        *out++ = static_cast<int8_t>(clamp(mean, -128, 127));
      });
}

struct MeanFloat {
  Reduce loops;
  float count;  // of folded elements

  template <class F>
  constexpr void fields(F&& f) const {
    f("loops", loops);
    f("count", count);
  }
};

MOTE_KERNEL void mean_f32(const MeanFloat& p, const float* in, float* out) {
  reduce(
      p.loops, in, 0.0f, [](float so_far, float next) { return so_far + next; },
      [&](float sum) MOTE_INLINE { *out++ = sum / p.count; });
}

}  // namespace nn
