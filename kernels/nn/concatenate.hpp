// SPDX-License-Identifier: Apache-2.0
// Several tensors behind each other along one axis.
#pragma once

#include "nn/copy.hpp"

namespace nn {

struct Concatenate {
  int32_t rows;  // extents in front of the axis

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows);
  }
};

// `widths`: how many elements of each input lie behind each other in a row of the output.
template <class T>
MOTE_KERNEL void concatenate_rows(const Concatenate& p, const int32_t* widths, int32_t count, const T* const* in,
                                  T* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    for (int32_t i = 0; i < count; ++i) {
      copy_elements(in[i] + row * widths[i], out, widths[i]);
      out += widths[i];
    }
  }
}

template <class T, int32_t count, class... In>
MOTE_KERNEL void concatenate(const Concatenate& p, const int32_t* widths, T* out, const In*... in) {
  const T* const inputs[count] = {in...};
  concatenate_rows(p, widths, count, inputs, out);
}

// For 8-bit inputs of another scale than the output's: 256 bytes an input map what it holds to what is written.
template <class T>
MOTE_KERNEL void concatenate_mapped_rows(const Concatenate& p, const int32_t* widths, const uint8_t* maps,
                                         int32_t count, const T* const* in, T* out) {
  for (int32_t row = 0; row < p.rows; ++row) {
    for (int32_t i = 0; i < count; ++i) {
      const T* from = in[i] + row * widths[i];
      const uint8_t* const map = maps + 256 * i;
      for (const T* end = from + widths[i]; from != end;) {
        *out++ = static_cast<T>(map[static_cast<uint8_t>(*from++)]);
      }
    }
  }
}

template <class T, int32_t count, class... In>
MOTE_KERNEL void concatenate_mapped(const Concatenate& p, const int32_t* widths, const uint8_t* maps, T* out,
                                    const In*... in) {
  const T* const inputs[count] = {in...};
  concatenate_mapped_rows(p, widths, maps, count, inputs, out);
}

}  // namespace nn
