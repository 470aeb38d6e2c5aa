// SPDX-License-Identifier: Apache-2.0
// Conversions between number types.
#pragma once

#include "nn/arithmetic.hpp"

namespace nn {

// Integers keep their low bits. Reals lose their fraction; what is beyond the type becomes its nearest number, and
// what is not a number 0.
template <class To>
struct Convert : Plain {
  template <class From>
  MOTE_KERNEL To operator()(From value) const {
    return static_cast<To>(value);
  }
  MOTE_KERNEL To operator()(float value) const { return from_real(value, static_cast<To*>(nullptr)); }

 private:
  MOTE_KERNEL static float from_real(float value, float*) { return value; }
  template <class Integer>
  MOTE_KERNEL static Integer from_real(float value, Integer*) {
    constexpr int bits = 8 * sizeof(Integer);
    constexpr bool is_signed = static_cast<Integer>(-1) < static_cast<Integer>(1);
    constexpr auto top = static_cast<Integer>(static_cast<uint64_t>(1) << (bits - 1));
    constexpr auto lowest = is_signed ? top : static_cast<Integer>(0);
    constexpr float end = static_cast<float>(static_cast<uint64_t>(1) << (bits - 1)) * (is_signed ? 1.0f : 2.0f);
    if (value >= end) return static_cast<Integer>(~lowest);
    if (value > (is_signed ? -end : -1.0f)) return static_cast<Integer>(value);
    return value != value ? static_cast<Integer>(0) : lowest;
  }
};

struct ConvertToBoolean : Plain {
  template <class From>
  MOTE_KERNEL bool operator()(From value) const {
    return value != static_cast<From>(0);
  }
};

}  // namespace nn
