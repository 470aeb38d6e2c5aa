// SPDX-License-Identifier: Apache-2.0
// The sum of any number of tensors of one shape.
#pragma once

#include "nn/arithmetic.hpp"

namespace nn {

struct AddN {
  int32_t count;  // elements

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

// Integers wrap.
template <class T>
MOTE_KERNEL void add_n_elements(const AddN& p, int32_t tensors, const T* const* in, T* out) {
  for (int32_t i = 0; i < p.count; ++i) {
    T sum = in[0][i];
    for (int32_t k = 1; k < tensors; ++k) sum = Sum()(sum, in[k][i]);
    out[i] = sum;
  }
}

template <class T, int32_t tensors, class... In>
MOTE_KERNEL void add_n(const AddN& p, T* out, const In*... in) {
  const T* const inputs[tensors] = {in...};
  add_n_elements(p, tensors, inputs, out);
}

// Of quantised tensors with one scale and zero point, which `zeros` sums over all of them.
struct AddN8 {
  int32_t count, zeros, zero, multiplier, shift;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("zeros", zeros);
    f("zero", zero);
    f("multiplier", multiplier);
    f("shift", shift);
  }
};

// Half of each number with 20 more bits, as the reference has it: exact.
MOTE_KERNEL void add_n_elements_s8(const AddN8& p, int32_t tensors, const int8_t* const* in, int8_t* out) {
  for (int32_t i = 0; i < p.count; ++i) {
    int32_t sum = -p.zeros;
    for (int32_t k = 0; k < tensors; ++k) sum += in[k][i];
    const int32_t value = multiply_by_quantized_multiplier(sum * (1 << 19), p.multiplier, p.shift) + p.zero;
    out[i] = static_cast<int8_t>(clamp(value, -128, 127));
  }
}

template <int32_t tensors, class... In>
MOTE_KERNEL void add_n_s8(const AddN8& p, int8_t* out, const In*... in) {
  const int8_t* const inputs[tensors] = {in...};
  add_n_elements_s8(p, tensors, inputs, out);
}

}  // namespace nn
