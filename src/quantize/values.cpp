// SPDX-License-Identifier: Apache-2.0
#include "quantize/values.hpp"

#include <algorithm>
#include <cmath>

namespace mote {

namespace {

template <class T>
Bytes quantised(const std::vector<float>& values, const Quantization& quant) {
  std::vector<T> result;
  for (const float value : values) {
    const float steps = std::round(value / quant.scale[0]) + static_cast<float>(quant.zero[0]);
    result.push_back(
        static_cast<T>(std::clamp<float>(steps, std::numeric_limits<T>::min(), std::numeric_limits<T>::max())));
  }
  return to_bytes(result);
}

template <class T>
std::vector<double> scaled(const TensorType& type, ByteSpan content) {
  std::vector<double> result;
  const bool plain = type.quant.empty();
  const double scale = plain ? 1.0 : static_cast<double>(tensor_scale(type, "tensor"));
  const int32_t zero = plain ? 0 : tensor_zero(type, "tensor");
  for (const T value : to_values<T>(content)) result.push_back(scale * (static_cast<double>(value) - zero));
  return result;
}

}  // namespace

std::vector<Bytes> integer_inputs(const Graph& integer, const Graph& real, const std::vector<Bytes>& inputs) {
  std::vector<Bytes> result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorType& to = integer.tensors[integer.inputs[i]].type;
    if (to.dtype == real.tensors[real.inputs[i]].type.dtype) {
      result.push_back(inputs[i]);
    } else {
      const std::vector<float> values = to_values<float>(inputs[i]);
      result.push_back(to.dtype == DType::i16 ? quantised<int16_t>(values, to.quant)
                                              : quantised<int8_t>(values, to.quant));
    }
  }
  return result;
}

Samples integer_samples(const Graph& integer, const Graph& real, const Samples& samples) {
  Samples result{{}, samples.labels};
  for (const std::vector<Bytes>& inputs : samples.inputs)
    result.inputs.push_back(integer_inputs(integer, real, inputs));
  return result;
}

std::vector<double> real_values(const TensorType& type, ByteSpan content) {
  switch (type.dtype) {
    case DType::i8: return scaled<int8_t>(type, content);
    case DType::u8:
    case DType::boolean: return scaled<uint8_t>(type, content);
    case DType::i16: return scaled<int16_t>(type, content);
    case DType::u16: return scaled<uint16_t>(type, content);
    case DType::i32: return scaled<int32_t>(type, content);
    case DType::u32: return scaled<uint32_t>(type, content);
    case DType::i64: return scaled<int64_t>(type, content);
    case DType::u64: return scaled<uint64_t>(type, content);
    case DType::f32: return scaled<float>(type, content);
    case DType::i4:
    case DType::i2: break;
  }
  fail("holds elements of type {}, which share bytes", name(type.dtype));
}

}  // namespace mote
