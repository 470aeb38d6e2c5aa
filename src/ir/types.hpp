// SPDX-License-Identifier: Apache-2.0
// Data types, shapes, quantisation and tensors: the plain values that graphs are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mote {

enum class DType { i8, u8, i16, u16, i32, u32, i64, u64, f32, boolean, i4, i2 };

[[nodiscard]] std::string_view name(DType dtype);    // "i8"
[[nodiscard]] std::string_view c_type(DType dtype);  // "int8_t"; the packed types i4 and i2 give "uint8_t"
[[nodiscard]] int bits(DType dtype);                 // of one element; i4 and i2 are packed

using Shape = std::vector<int64_t>;  // outermost dimension first; images are NHWC; a scalar is {}

[[nodiscard]] int64_t elements(const Shape& shape);
[[nodiscard]] std::string to_text(const Shape& shape);  // "1x28x28x3"; a scalar is "scalar"

// real = scale * (q - zero). Per tensor: one scale, axis -1. Per channel: one scale for each index of `axis`.
struct Quantization {
  std::vector<float> scale;
  std::vector<int32_t> zero;
  int axis = -1;

  [[nodiscard]] bool empty() const { return scale.empty(); }
  bool operator==(const Quantization&) const = default;
};

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;
  Quantization quant;

  bool operator==(const TensorType&) const = default;
};

[[nodiscard]] int64_t byte_size(const TensorType& type);

struct Tensor {
  std::string name;
  TensorType type;
  Bytes data;          // of a constant; of a state: its content before the first run; else empty
  bool state = false;  // keeps its content from one run to the next; operators update it in place

  [[nodiscard]] bool constant() const { return !state && !data.empty(); }
};

// What a state holds before the first run, as TensorFlow Lite Micro resets variables: the zero point in every
// element where the type is i8, else 0.
[[nodiscard]] Bytes initial_state(const TensorType& type);

// The one scale or zero point of a per-tensor quantised type. Throws Error (naming `what`) when it has none or
// several.
[[nodiscard]] float tensor_scale(const TensorType& type, std::string_view what);
[[nodiscard]] int32_t tensor_zero(const TensorType& type, std::string_view what);

}  // namespace mote
