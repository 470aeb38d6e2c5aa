// SPDX-License-Identifier: Apache-2.0
// Rows of the model's input, as the application hands them over.
#pragma once

#include "nn/copy.hpp"

namespace nn {

struct InputRows {
  int32_t count;  // elements

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

template <class T>
MOTE_KERNEL void input_rows(const InputRows& p, const T* rows, T* out) {
  copy_elements(rows, out, p.count);
}

}  // namespace nn
