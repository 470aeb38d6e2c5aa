// SPDX-License-Identifier: Apache-2.0
// SVDF: each filter projects the input to one number a step, and weighs the last numbers over time.
#pragma once

#include "nn/float_math.hpp"
#include "nn/four_rows.hpp"

namespace nn {

struct Svdf {
  int32_t batches, inputs, filters, memory, rank;  // rank: filters summed up for one output
  int32_t feature_multiplier, feature_shift;       // of the projection to the state
  int32_t state_zero, state_low, state_high;
  int32_t out_multiplier, out_shift, out_zero, low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("inputs", inputs), f("filters", filters), f("memory", memory), f("rank", rank);
    f("feature_multiplier", feature_multiplier), f("feature_shift", feature_shift);
    f("state_zero", state_zero), f("state_low", state_low), f("state_high", state_high);
    f("out_multiplier", out_multiplier), f("out_shift", out_shift), f("out_zero", out_zero);
    f("low", low), f("high", high);
  }
};

// Moves the filter's memory on by one, `newest` last, and gives its product with the weights over time. Sums of
// integers wrap: `Sum` is unsigned.
template <class Sum, class T, class Value>
MOTE_KERNEL Sum remember(T* memory, const T* weights, int32_t count, Value zero, Value newest) {
  Sum sum = 0;
  for (int32_t i = 0; i + 1 < count; ++i) {
    const T value = memory[i + 1];
    memory[i] = value;
    sum += static_cast<Sum>(weights[i] * (value - zero));
  }
  memory[count - 1] = static_cast<T>(newest);
  return sum + static_cast<Sum>(weights[count - 1] * (newest - zero));
}

// features: in the order of `Rows`; sums: for each filter, at even places, where its sum starts; bias:
// one an output.
template <class Rows, class T>
MOTE_KERNEL void svdf_integer(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                              const T* times, const int32_t* bias, T* state, int8_t* out) {
  for (int32_t batch = 0; batch < p.batches; ++batch, in += p.inputs) {
    const int8_t* weights = features;
    int32_t in_group = 0;
    auto output = static_cast<uint32_t>(*bias);
    const int32_t* next_bias = bias + 1;
    const T* time = times;
    for (int32_t filter = 0; filter < p.filters; filter += 4) {
      int32_t projected[4];
      weights = Rows::multiply(in, p.inputs, weights, sums + 2 * filter, projected);
      for (int32_t i = 0; i < 4 && filter + i < p.filters; ++i) {
        const int32_t scaled =
            multiply_by_quantized_multiplier(projected[i], p.feature_multiplier, p.feature_shift);
        const int32_t newest = clamp(scaled + p.state_zero, p.state_low, p.state_high);
        output += remember<uint32_t>(state, time, p.memory, p.state_zero, newest);
        state += p.memory;
        time += p.memory;
        if (++in_group < p.rank) continue;
        const int32_t result =
            multiply_by_quantized_multiplier(static_cast<int32_t>(output), p.out_multiplier, p.out_shift);
        *out++ = static_cast<int8_t>(clamp(result + p.out_zero, p.low, p.high));
        in_group = 0;
        if (filter + i + 1 < p.filters) output = static_cast<uint32_t>(*next_bias++);
      }
    }
  }
}

MOTE_KERNEL void svdf_s8(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                         const int8_t* times, const int32_t* bias, int8_t* state, int8_t* out) {
  svdf_integer<ScalarRows>(p, in, features, sums, times, bias, state, out);
}
MOTE_KERNEL void svdf_s8_s16(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                             const int16_t* times, const int32_t* bias, int16_t* state, int8_t* out) {
  svdf_integer<ScalarRows>(p, in, features, sums, times, bias, state, out);
}
MOTE_KERNEL void svdf_paired_s8(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                                const int8_t* times, const int32_t* bias, int8_t* state, int8_t* out) {
  svdf_integer<PairedRows>(p, in, features, sums, times, bias, state, out);
}
MOTE_KERNEL void svdf_paired_s8_s16(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                                    const int16_t* times, const int32_t* bias, int16_t* state, int8_t* out) {
  svdf_integer<PairedRows>(p, in, features, sums, times, bias, state, out);
}
MOTE_KERNEL void svdf_vector_s8(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                                const int8_t* times, const int32_t* bias, int8_t* state, int8_t* out) {
  svdf_integer<VectorRows>(p, in, features, sums, times, bias, state, out);
}
MOTE_KERNEL void svdf_vector_s8_s16(const Svdf& p, const int8_t* in, const int8_t* features, const int32_t* sums,
                                    const int16_t* times, const int32_t* bias, int16_t* state, int8_t* out) {
  svdf_integer<VectorRows>(p, in, features, sums, times, bias, state, out);
}

struct SvdfFloat {
  int32_t batches, inputs, filters, memory, rank;
  float low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("batches", batches), f("inputs", inputs), f("filters", filters), f("memory", memory), f("rank", rank);
    f("low", low), f("high", high);
  }
};

MOTE_KERNEL void svdf_f32(const SvdfFloat& p, const float* in, const float* features, const float* times,
                          const float* bias, float* state, float* out) {
  for (int32_t batch = 0; batch < p.batches; ++batch, in += p.inputs) {
    const float* feature = features;
    const float* time = times;
    for (int32_t unit = 0; unit * p.rank < p.filters; ++unit) {
      float output = bias != nullptr ? bias[unit] : 0.0f;
      for (int32_t i = 0; i < p.rank; ++i) {
        float newest = 0.0f;
        for (int32_t k = 0; k < p.inputs; ++k) newest += in[k] * *feature++;
        output += remember<float>(state, time, p.memory, 0.0f, newest);
        state += p.memory;
        time += p.memory;
      }
      *out++ = clamp_f32(output, p.low, p.high);
    }
  }
}

}  // namespace nn
