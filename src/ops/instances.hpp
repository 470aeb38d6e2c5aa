// SPDX-License-Identifier: Apache-2.0
// Kernels that are templates over the type of elements that they move.
#pragma once

#include "ir/call.hpp"

namespace mote::op {

// make(T()) with the type that holds elements of type `dtype` while they move. Signedness does not matter there.
template <class Make>
[[nodiscard]] Call for_storage(DType dtype, Make make) {
  switch (dtype) {
    case DType::i8:
    case DType::u8:
    case DType::boolean: return make(int8_t());
    case DType::i16:
    case DType::u16: return make(int16_t());
    case DType::i32:
    case DType::u32: return make(int32_t());
    case DType::i64:
    case DType::u64: return make(int64_t());
    case DType::f32: return make(float());
    case DType::i4:
    case DType::i2: break;
  }
  fail("moves elements of type {}, which share bytes", name(dtype));
}

// "gather<int8_t, int32_t>"
template <class First, class... Others>
[[nodiscard]] std::string instance(std::string_view function) {
  std::string text = fmt::format("{}<{}", function, detail::element_type<First>());
  ((text += fmt::format(", {}", detail::element_type<Others>())), ...);
  return text + ">";
}

}  // namespace mote::op
