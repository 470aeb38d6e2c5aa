// SPDX-License-Identifier: Apache-2.0
#include "ir/types.hpp"

#include <fmt/ranges.h>

namespace mote {

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::i8: return "i8";
    case DType::u8: return "u8";
    case DType::i16: return "i16";
    case DType::u16: return "u16";
    case DType::i32: return "i32";
    case DType::u32: return "u32";
    case DType::i64: return "i64";
    case DType::u64: return "u64";
    case DType::f32: return "f32";
    case DType::boolean: return "bool";
    case DType::i4: return "i4";
    case DType::i2: return "i2";
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

std::string_view c_type(DType dtype) {
  switch (dtype) {
    case DType::i8: return "int8_t";
    case DType::u8: return "uint8_t";
    case DType::i16: return "int16_t";
    case DType::u16: return "uint16_t";
    case DType::i32: return "int32_t";
    case DType::u32: return "uint32_t";
    case DType::i64: return "int64_t";
    case DType::u64: return "uint64_t";
    case DType::f32: return "float";
    case DType::boolean: return "uint8_t";
    case DType::i4: return "uint8_t";
    case DType::i2: return "uint8_t";
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

int bits(DType dtype) {
  switch (dtype) {
    case DType::i8: return 8;
    case DType::u8: return 8;
    case DType::i16: return 16;
    case DType::u16: return 16;
    case DType::i32: return 32;
    case DType::u32: return 32;
    case DType::i64: return 64;
    case DType::u64: return 64;
    case DType::f32: return 32;
    case DType::boolean: return 8;
    case DType::i4: return 4;
    case DType::i2: return 2;
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

int64_t elements(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    // No require: it would write the shape each time.
    if (extent < 0) fail("shape {} has a negative extent", to_text(shape));
    if (extent != 0 && count > (int64_t{1} << 40) / extent) fail("shape {} is too large", to_text(shape));
    count *= extent;
  }
  return count;
}

std::string to_text(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

int64_t byte_size(const TensorType& type) { return (elements(type.shape) * bits(type.dtype) + 7) / 8; }

Bytes initial_state(const TensorType& type) {
  const bool shifted = type.dtype == DType::i8 && type.quant.zero.size() == 1;
  return Bytes(static_cast<size_t>(byte_size(type)), static_cast<std::byte>(shifted ? type.quant.zero[0] : 0));
}

float tensor_scale(const TensorType& type, std::string_view what) {
  require(type.quant.scale.size() == 1, "the {} needs one quantisation scale, it has {}", what,
          type.quant.scale.size());
  return type.quant.scale[0];
}

int32_t tensor_zero(const TensorType& type, std::string_view what) {
  require(type.quant.zero.size() == 1, "the {} needs one zero point, it has {}", what, type.quant.zero.size());
  return type.quant.zero[0];
}

}  // namespace mote
