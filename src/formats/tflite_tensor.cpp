// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite_tensor.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace mote::tflite {

void Budget::spend(size_t bytes) {
  require(bytes <= left_, "shares so many parts that it unpacks to more than {} bytes; convert the model again",
          limit_);
  left_ -= bytes;
}

int unknown_field(const void* table, const flatbuffers::TypeTable* schema) {
  // A vtable starts with its own size and the table's, 2 bytes each; then follows one offset a field, 0: not set.
  const auto* const fields = static_cast<const flatbuffers::Table*>(table);
  const auto end = flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields->GetVTable());
  for (size_t field = schema->num_elems; 4 + 2 * field < end; ++field) {
    if (fields->CheckField(static_cast<flatbuffers::voffset_t>(4 + 2 * field))) return static_cast<int>(field);
  }
  return -1;
}

std::string clean_name(const flatbuffers::String* text, Budget& budget) {
  if (text == nullptr) return {};
  budget.spend(text->size());
  std::string name = text->str();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return name;
}

namespace {

constexpr size_t max_rank = 8;

std::optional<DType> to_dtype(schema::TensorType type) {
  switch (type) {
    case schema::TensorType::FLOAT32: return DType::f32;
    case schema::TensorType::INT32: return DType::i32;
    case schema::TensorType::UINT8: return DType::u8;
    case schema::TensorType::INT64: return DType::i64;
    case schema::TensorType::UINT16: return DType::u16;
    case schema::TensorType::UINT32: return DType::u32;
    case schema::TensorType::UINT64: return DType::u64;
    case schema::TensorType::BOOL: return DType::boolean;
    case schema::TensorType::INT16: return DType::i16;
    case schema::TensorType::INT8: return DType::i8;
    case schema::TensorType::INT4: return DType::i4;
    default: return std::nullopt;  // values come from the file: any number is possible
  }
}

std::string type_name(schema::TensorType type) {
  const std::string name = schema::EnumNameTensorType(type);
  return name.empty() ? fmt::format("number {}", static_cast<int>(type)) : name;
}

std::pair<int64_t, int64_t> zero_point_range(DType dtype) {
  switch (dtype) {
    case DType::i8: return {-128, 127};
    case DType::u8: return {0, 255};
    case DType::i16: return {-32768, 32767};
    case DType::u16: return {0, 65535};
    case DType::u32:
    case DType::u64: return {0, std::numeric_limits<int32_t>::max()};
    case DType::i32:
    case DType::i64: return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    case DType::i4: return {-8, 7};
    case DType::i2: return {-2, 1};
    case DType::f32:
    case DType::boolean: return {0, 0};
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

Shape read_shape(const flatbuffers::Vector<int32_t>* extents) {
  Shape shape;
  if (extents == nullptr) return shape;
  require(extents->size() <= max_rank, "has rank {}; the limit is {}", extents->size(), max_rank);
  for (const int32_t extent : *extents) {
    require(extent >= 0, "has a negative extent ({}) in its shape", extent);
    shape.push_back(extent);
  }
  (void)elements(shape);  // throws when the product overflows
  return shape;
}

// One scale for each index of an axis: which one. Some converters give a bias the axis of its weights; a vector
// has one axis only, so that number carries nothing.
int channel_axis(int32_t stated, const Shape& shape, size_t scales) {
  const int64_t axis = shape.size() == 1 ? 0 : stated;
  require(axis >= 0 && axis < static_cast<int64_t>(shape.size()), "is quantised along axis {} but its shape is {}",
          stated, to_text(shape));
  const int64_t extent = shape[static_cast<size_t>(axis)];
  require(extent == static_cast<int64_t>(scales), "has {} scales for the {} indices of axis {}", scales, extent,
          axis);
  return static_cast<int>(axis);
}

Quantization read_quantization(const schema::QuantizationParameters& table, const TensorType& type,
                               Budget& budget) {
  const size_t scales = table.scale() == nullptr ? 0 : table.scale()->size();
  const size_t zeros = table.zero_point() == nullptr ? 0 : table.zero_point()->size();
  require(scales == zeros, "has {} quantisation scales but {} zero points", scales, zeros);
  Quantization quant;
  if (scales == 0) return quant;
  budget.spend(scales * (sizeof(float) + sizeof(int32_t)));
  if (scales > 1) quant.axis = channel_axis(table.quantized_dimension(), type.shape, scales);
  const auto [low, high] = zero_point_range(type.dtype);
  // FlatBuffers' verifier does not check the alignment of 8-byte elements, so they are copied out before use.
  const std::span raw_zeros(table.zero_point()->Data(), zeros * sizeof(int64_t));
  const std::vector<int64_t> zero_points = to_values<int64_t>(std::as_bytes(raw_zeros));
  for (unsigned i = 0; i < scales; ++i) {
    const float scale = table.scale()->Get(i);
    const int64_t zero = zero_points[i];
    require(std::isfinite(scale) && scale > 0.0F, "has quantisation scale {} at index {}; it must be positive",
            scale, i);
    require(zero >= low && zero <= high, "has zero point {} at index {}, outside {} to {}", zero, i, low, high);
    quant.scale.push_back(scale);
    quant.zero.push_back(static_cast<int32_t>(zero));
  }
  return quant;
}

// The value of a half-precision number's bits: every one is a float.
float from_half(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31)
    return sign *
           (fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN());
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

// Constants in half precision count as single: targets have no arithmetic for them.
bool is_half_constant(const schema::Model& model, const schema::Tensor& table) {
  const auto* const data = model.buffers()->Get(table.buffer())->data();
  return table.type() == schema::TensorType::FLOAT16 && data != nullptr && data->size() > 0;
}

Bytes read_data(const schema::Model& model, const schema::Tensor& table, const TensorType& type, Budget& budget) {
  const schema::Buffer& buffer = *model.buffers()->Get(table.buffer());
  require(buffer.offset() == 0 && buffer.size() == 0,
          "keeps its data behind the FlatBuffer, which is not supported");
  if (buffer.data() == nullptr || buffer.data()->size() == 0) return {};
  const size_t size = buffer.data()->size();
  const bool half = is_half_constant(model, table);
  const int64_t needed = half ? byte_size(type) / 2 : byte_size(type);
  require(static_cast<int64_t>(size) == needed, "holds {} bytes of data, but its shape {} needs {}", size,
          to_text(type.shape), needed);
  budget.spend(half ? 2 * size : size);
  const auto* const first = reinterpret_cast<const std::byte*>(buffer.data()->Data());
  if (!half) return Bytes(first, first + size);
  std::vector<float> values;
  for (const uint16_t bits : to_values<uint16_t>(ByteSpan(first, size))) values.push_back(from_half(bits));
  return to_bytes(values);
}

// Fills what the caller keeps even when a later check fails (the shape, for messages).
void read_content(const schema::Model& model, const schema::Tensor& table, FileTensor& result, Budget& budget) {
  result.tensor.type.shape = read_shape(table.shape());
  const auto dtype = is_half_constant(model, table) ? DType::f32 : to_dtype(table.type());
  require(dtype.has_value(), "has data type {}, which is not supported; use int8 or float32",
          type_name(table.type()));
  result.tensor.type.dtype = *dtype;
  require(table.sparsity() == nullptr, "is stored sparse, which is not supported; export it dense");
  const int field = unknown_field(&table, schema::TensorTypeTable());
  require(field < 0, "sets field {} of the tensor, which Mote does not know", field);
  if (const schema::QuantizationParameters* const quant = table.quantization(); quant != nullptr) {
    require(quant->details_type() == 0 && quant->details() == nullptr &&
                unknown_field(quant, schema::QuantizationParametersTypeTable()) < 0,
            "is quantised in a way of its own, which is not supported; use scales and zero points");
    result.tensor.type.quant = read_quantization(*quant, result.tensor.type, budget);
    require(result.tensor.type.quant.empty() || (*dtype != DType::f32 && *dtype != DType::boolean),
            "is {} but has quantisation scales", name(*dtype));
  }
  result.tensor.data = read_data(model, table, result.tensor.type, budget);
  require(!result.tensor.state || result.tensor.data.empty(),
          "keeps state from run to run but has an initial value");
}

}  // namespace

FileTensor read_tensor(const schema::Model& model, const schema::Tensor& table, size_t index, Budget& budget) {
  budget.spend(sizeof(FileTensor));
  FileTensor result;
  result.tensor.name = clean_name(table.name(), budget);
  if (result.tensor.name.empty()) result.tensor.name = fmt::format("tensor{}", index);
  result.tensor.state = table.is_variable();
  const size_t buffers = model.buffers() == nullptr ? 0 : model.buffers()->size();
  require(table.buffer() < buffers, "is damaged: tensor {} ('{}') uses buffer {} of {}", index, result.tensor.name,
          table.buffer(), buffers);
  try {
    read_content(model, table, result, budget);
  } catch (const Error& error) {
    result.problem = error.what();
  }
  return result;
}

}  // namespace mote::tflite
