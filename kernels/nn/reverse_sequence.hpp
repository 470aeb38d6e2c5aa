// SPDX-License-Identifier: Apache-2.0
// The beginnings of sequences, backwards.
#pragma once

#include "nn/copy.hpp"

namespace nn {

// The tensor is outer x first x middle x second x inner; `batch_first`: the first of the two dimensions between
// counts the batches and the second runs along the sequences, else the other way round.
struct ReverseSequence {
  int32_t outer, first, middle, second, inner, batch_first;

  template <class F>
  constexpr void fields(F&& f) const {
    f("outer", outer);
    f("first", first);
    f("middle", middle);
    f("second", second);
    f("inner", inner);
    f("batch_first", batch_first);
  }
};

// `lengths`: how much of each batch's sequence is turned round; all of it when that is less.
template <class T, class I>
MOTE_KERNEL void reverse_sequence(const ReverseSequence& p, const T* in, const I* lengths, T* out) {
  const int32_t extent = p.batch_first != 0 ? p.second : p.first;
  for (int32_t o = 0; o < p.outer; ++o) {
    for (int32_t i = 0; i < p.first; ++i) {
      for (int32_t m = 0; m < p.middle; ++m) {
        for (int32_t k = 0; k < p.second; ++k) {
          const I length = lengths[p.batch_first != 0 ? i : k];
          const int32_t turned = length < extent ? static_cast<int32_t>(length) : extent;
          const int32_t at = p.batch_first != 0 ? k : i;
          const int32_t from = at < turned ? turned - 1 - at : at;
          const int32_t from_first = p.batch_first != 0 ? i : from, from_second = p.batch_first != 0 ? from : k;
          const int32_t place = ((o * p.first + from_first) * p.middle + m) * p.second + from_second;
          copy_elements(in + place * p.inner, out, p.inner);
          out += p.inner;
        }
      }
    }
  }
}

}  // namespace nn
