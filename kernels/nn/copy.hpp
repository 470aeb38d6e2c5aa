// SPDX-License-Identifier: Apache-2.0
// Copies of neighbouring elements.
#pragma once

#include "nn/fixed.hpp"

namespace nn {

// Reads each element before it writes to the same place in the sequence, and nothing twice: the ranges may overlap
// when `to` lies at or below `from`. A plan may also place both at one address: then there is nothing to do.
template <class T>
MOTE_KERNEL void copy_elements(const T* from, T* to, int32_t count) {
  if (from == to) return;
  constexpr int32_t in_word = 4 / static_cast<int32_t>(sizeof(T) < 4 ? sizeof(T) : 4);
  const auto places = reinterpret_cast<uintptr_t>(from) | reinterpret_cast<uintptr_t>(to);
  if (in_word > 1 && (places & 3) == 0) {
    for (; count >= in_word; count -= in_word, from += in_word, to += in_word) {
      uint32_t word;
      __builtin_memcpy(&word, __builtin_assume_aligned(from, 4), 4);
      __builtin_memcpy(__builtin_assume_aligned(to, 4), &word, 4);
    }
  }
  for (; count > 0; --count) *to++ = *from++;
}

}  // namespace nn
