// SPDX-License-Identifier: Apache-2.0
// Random pieces of samples: integers, shapes, quantised types.
#pragma once

#include <cmath>
#include <random>

#include "ir/operator.hpp"

namespace mote::op {

[[nodiscard]] inline int64_t random_integer(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

[[nodiscard]] inline float random_real(std::mt19937& random, float low, float high) {
  return std::uniform_real_distribution<float>(low, high)(random);
}

[[nodiscard]] inline bool chance(std::mt19937& random, int percent) {
  return random_integer(random, 1, 100) <= percent;
}

[[nodiscard]] inline Shape random_shape(std::mt19937& random, int64_t lowest_rank, int64_t highest_rank,
                                        int64_t largest) {
  Shape shape(static_cast<size_t>(random_integer(random, lowest_rank, highest_rank)));
  for (int64_t& extent : shape) extent = random_integer(random, 1, largest);
  return shape;
}

[[nodiscard]] inline Quantization random_quantization(std::mt19937& random, DType dtype) {
  const int32_t low = dtype == DType::u8 ? 0 : dtype == DType::i16 ? 0 : -128;
  const int32_t high = dtype == DType::u8 ? 255 : dtype == DType::i16 ? 0 : 127;
  const auto scale = static_cast<float>(std::exp2(random_real(random, -8.0F, 0.0F)));
  return {{scale}, {static_cast<int32_t>(random_integer(random, low, high))}, -1};
}

// Quantised when the dtype is an integer, plain otherwise.
[[nodiscard]] inline TensorType random_type(std::mt19937& random, DType dtype, Shape shape) {
  TensorType type{dtype, std::move(shape), {}};
  if (dtype != DType::f32) type.quant = random_quantization(random, dtype);
  return type;
}

[[nodiscard]] inline Tensor variable(const TensorType& type) { return {"x", type, {}}; }

// Gives the tensor random data: bytes, or floats between -4 and 4.
inline void make_constant(Tensor& tensor, std::mt19937& random) {
  if (tensor.type.dtype == DType::f32) {
    std::vector<float> values(static_cast<size_t>(elements(tensor.type.shape)));
    for (float& value : values) value = random_real(random, -4.0F, 4.0F);
    tensor.data = to_bytes(values);
  } else {
    tensor.data.resize(static_cast<size_t>(byte_size(tensor.type)));
    for (std::byte& value : tensor.data) value = static_cast<std::byte>(random() >> 24);
  }
}

// The same type with another shape. Samples state shapes by their own reckoning: infer() is tested against them.
[[nodiscard]] inline TensorType reshaped(TensorType type, Shape shape) {
  type.shape = std::move(shape);
  return type;
}

}  // namespace mote::op
