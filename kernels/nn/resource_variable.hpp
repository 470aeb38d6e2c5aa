// SPDX-License-Identifier: Apache-2.0
// Variables of the model: states that are read and written as a whole.
#pragma once

#include "nn/copy.hpp"

namespace nn {

struct Variable {
  int32_t count;  // elements

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
  }
};

template <class T>
MOTE_KERNEL void read_variable(const Variable& p, const T* state, T* out) {
  copy_elements(state, out, p.count);
}

template <class T>
MOTE_KERNEL void assign_variable(const Variable& p, const T* value, T* state) {
  copy_elements(value, state, p.count);
}

}  // namespace nn
