// SPDX-License-Identifier: Apache-2.0
#include "ir/packed_i4.hpp"

namespace mote {

std::vector<int8_t> i4_values(const Tensor& tensor) {
  std::vector<int8_t> values;
  for (int64_t i = 0; i < elements(tensor.type.shape); ++i) {
    const auto byte = static_cast<uint8_t>(tensor.data[static_cast<size_t>(i / 2)]);
    const int nibble = i % 2 == 0 ? byte & 15 : byte >> 4;
    values.push_back(static_cast<int8_t>(nibble < 8 ? nibble : nibble - 16));
  }
  return values;
}

Tensor unpacked_i4(Tensor tensor) {
  if (tensor.type.dtype != DType::i4) return tensor;
  tensor.data = to_bytes(i4_values(tensor));
  tensor.type.dtype = DType::i8;
  return tensor;
}

Tensor packed_i4(Tensor tensor) {
  require(tensor.type.dtype == DType::i8, "'{}' is {}, which does not become i4", tensor.name,
          name(tensor.type.dtype));
  const std::vector<int8_t> values = to_values<int8_t>(tensor.data);
  std::vector<uint8_t> packed((values.size() + 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    require(values[i] >= -8 && values[i] <= 7, "'{}' holds {}, which four bits do not", tensor.name, values[i]);
    packed[i / 2] = static_cast<uint8_t>(packed[i / 2] | (values[i] & 15) << (i % 2 == 0 ? 0 : 4));
  }
  tensor.data = to_bytes(packed);
  tensor.type.dtype = DType::i4;
  return tensor;
}

}  // namespace mote
