// SPDX-License-Identifier: Apache-2.0
// For operators that move elements of any type without looking at them: kernels by the size of an element.
#pragma once

#include "ops/checks.hpp"

namespace mote::op {

inline void require_movable(const TensorType& type) {
  require(bits(type.dtype) >= 8, "moves elements of type {}, which share bytes; convert the model with i8",
          name(type.dtype));
}

// The output of an operator that moves the input's elements: same type, and the same quantisation if any.
[[nodiscard]] inline TensorType moved_type(const TensorType& input, const Types& declared, Shape shape) {
  require_movable(input);
  TensorType output = declared_type(declared, input.dtype);
  const bool quantized = input.quant.scale.size() == 1 && output.quant.scale.size() == 1;
  if (quantized && (input.dtype == DType::i8 || input.dtype == DType::u8 || input.dtype == DType::i16))
    require_same_quantization(input, output);
  output.shape = std::move(shape);
  return output;
}

// Calls call(kernel, suffix of its name) with the kernel for elements of type `dtype`. Signedness does not matter:
// C++ lets a signed type read what the unsigned one of the same size wrote.
template <class Caller, class K8, class K16, class K32, class K64, class KFloat>
[[nodiscard]] Call call_for_storage(DType dtype, Caller call, K8 of_8, K16 of_16, K32 of_32, K64 of_64,
                                    KFloat of_float) {
  switch (dtype) {
    case DType::i8:
    case DType::u8:
    case DType::boolean: return call(of_8, "_s8");
    case DType::i16:
    case DType::u16: return call(of_16, "_s16");
    case DType::i32:
    case DType::u32: return call(of_32, "_s32");
    case DType::i64:
    case DType::u64: return call(of_64, "_s64");
    case DType::f32: return call(of_float, "_f32");
    case DType::i4:
    case DType::i2: break;
  }
  fail("moves elements of type {}, which share bytes", name(dtype));
}

// Every element of the output in order, each reading its inputs before it is written.
[[nodiscard]] inline Order element_by_element(const TensorType& out) {
  return {.dims = static_cast<int>(out.shape.size()), .block = 1, .reads_first = true};
}

}  // namespace mote::op
