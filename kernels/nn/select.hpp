// SPDX-License-Identifier: Apache-2.0
// Elements of one of two tensors, as a mask says.
#pragma once

#include "nn/broadcast.hpp"

namespace nn {

struct Select {
  int32_t count;  // elements; rows of the table when broadcasting

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

template <class T>
MOTE_KERNEL void select(const Select& p, const uint8_t* mask, const T* chosen, const T* other, T* out) {
  const int32_t count = p.count;  // the compiler cannot know that no output byte is a parameter
  for (int32_t i = 0; i < count; ++i) out[i] = mask[i] != 0 ? chosen[i] : other[i];
}

template <class T>
MOTE_KERNEL void select_broadcast(const Select& p, const uint8_t* mask, const T* chosen, const T* other,
                                  const int32_t* table, T* out) {
  for_each_broadcast<3>(p.count, table, [&](const int32_t* at) MOTE_INLINE {
    *out++ = mask[at[0]] != 0 ? chosen[at[1]] : other[at[2]];
  });
}

}  // namespace nn
