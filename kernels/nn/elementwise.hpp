// SPDX-License-Identifier: Apache-2.0
// One function applied to every element: of one, two or three tensors, with broadcasting.
//
// A function is a struct with its parameters, fields() and operator(); generated code names it in the kernel's
// template arguments.
#pragma once

#include "nn/broadcast.hpp"

namespace nn {

template <class Function>
struct Elements {
  int32_t count;  // elements; rows of the table when broadcasting
  Function function;

  template <class F>
  constexpr void fields(F&& f) const {
    f("count", count);
    f("function", function);
  }
};

template <class Function, class In, class Out>
MOTE_KERNEL void map_1(const Elements<Function>& p, const In* in, Out* out) {
  const Function function = p.function;  // the compiler cannot know that no output byte is a parameter
  const int32_t count = p.count;
  for (int32_t i = 0; i < count; ++i) out[i] = static_cast<Out>(function(in[i]));
}

template <class Function, class In, class Out>
MOTE_KERNEL void map_2(const Elements<Function>& p, const In* a, const In* b, Out* out) {
  const Function function = p.function;
  const int32_t count = p.count;
  for (int32_t i = 0; i < count; ++i) out[i] = static_cast<Out>(function(a[i], b[i]));
}

template <class Function, class In, class Out>
MOTE_KERNEL void map_2_broadcast(const Elements<Function>& p, const In* a, const In* b, const int32_t* table,
                                 Out* out) {
  const Function function = p.function;
  for_each_broadcast<2>(p.count, table, [&](const int32_t* at) MOTE_INLINE {
    *out++ = static_cast<Out>(function(a[at[0]], b[at[1]]));
  });
}

// function(x, second): a function of two variables whose second is one number.
template <class Function, class T>
struct WithSecond {
  Function function;
  T second;

  template <class F>
  constexpr void fields(F&& f) const {
    f("function", function);
    f("second", second);
  }
  MOTE_KERNEL auto operator()(T first) const { return function(first, second); }
};

template <class Function, class T>
struct WithFirst {
  Function function;
  T first;

  template <class F>
  constexpr void fields(F&& f) const {
    f("function", function);
    f("first", first);
  }
  MOTE_KERNEL auto operator()(T second) const { return function(first, second); }
};

// A fused activation behind a function.
template <class Function, class T>
struct Clamped {
  Function function;
  T low, high;

  template <class F>
  constexpr void fields(F&& f) const {
    f("function", function);
    f("low", low);
    f("high", high);
  }
  template <class... Arguments>
  MOTE_KERNEL T operator()(Arguments... arguments) const {
    const auto value = static_cast<T>(function(arguments...));
    return value < low ? low : value > high ? high : value;
  }
};

}  // namespace nn
