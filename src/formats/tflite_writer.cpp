// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite_writer.hpp"

#include <algorithm>
#include <memory>

namespace mote::tflite {

schema::TensorType file_type(DType dtype) {
  switch (dtype) {
    case DType::i8: return schema::TensorType::INT8;
    case DType::u8: return schema::TensorType::UINT8;
    case DType::i16: return schema::TensorType::INT16;
    case DType::u16: return schema::TensorType::UINT16;
    case DType::i32: return schema::TensorType::INT32;
    case DType::u32: return schema::TensorType::UINT32;
    case DType::i64: return schema::TensorType::INT64;
    case DType::u64: return schema::TensorType::UINT64;
    case DType::f32: return schema::TensorType::FLOAT32;
    case DType::boolean: return schema::TensorType::BOOL;
    case DType::i4: return schema::TensorType::INT4;
    case DType::i2: return schema::TensorType::INT2;
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

int usual_version(DType dtype) { return dtype == DType::i16 ? 3 : dtype == DType::i8 ? 2 : 1; }

schema::BuiltinOperator builtin_operator(std::string_view name) {
  const auto same = [](char small, char capital) {
    return (small >= 'a' && small <= 'z' ? small - 'a' + 'A' : small) == capital;
  };
  for (const schema::BuiltinOperator code : schema::EnumValuesBuiltinOperator()) {
    const std::string_view capitals = schema::EnumNameBuiltinOperator(code);
    if (std::equal(name.begin(), name.end(), capitals.begin(), capitals.end(), same)) return code;
  }
  fail("cannot be written to a .tflite file, which has no {}", name);
}

FileWriter::FileWriter() {
  model_.version = 3;
  model_.subgraphs.push_back(std::make_unique<schema::SubGraphT>());
  model_.subgraphs[0]->name = "main";
  model_.buffers.push_back(std::make_unique<schema::BufferT>());
}

int FileWriter::tensor(const std::string& name, const TensorType& type) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = name;
  tensor->type = file_type(type.dtype);
  tensor->has_rank = true;
  for (const int64_t extent : type.shape) tensor->shape.push_back(narrow<int32_t>(extent));
  if (!type.quant.empty()) {
    tensor->quantization = std::make_unique<schema::QuantizationParametersT>();
    tensor->quantization->scale = type.quant.scale;
    tensor->quantization->zero_point.assign(type.quant.zero.begin(), type.quant.zero.end());
    tensor->quantization->quantized_dimension = std::max(type.quant.axis, 0);
  }
  auto& tensors = model_.subgraphs[0]->tensors;
  tensors.push_back(std::move(tensor));
  return static_cast<int>(tensors.size()) - 1;
}

int FileWriter::constant(const std::string& name, const TensorType& type, ByteSpan data) {
  const int index = tensor(name, type);
  model_.subgraphs[0]->tensors.back()->buffer = static_cast<uint32_t>(model_.buffers.size());
  auto buffer = std::make_unique<schema::BufferT>();
  const auto* const first = reinterpret_cast<const uint8_t*>(data.data());
  buffer->data.assign(first, first + data.size());
  model_.buffers.push_back(std::move(buffer));
  return index;
}

void FileWriter::add(schema::BuiltinOperator code, int version, std::vector<int> inputs, std::vector<int> outputs,
                     schema::BuiltinOptionsUnion options) {
  const auto [entry, fresh] =
      codes_.try_emplace({static_cast<int>(code), version}, static_cast<uint32_t>(model_.operator_codes.size()));
  if (fresh) {
    auto description = std::make_unique<schema::OperatorCodeT>();
    description->builtin_code = code;
    description->deprecated_builtin_code = static_cast<int8_t>(std::min(static_cast<int>(code), 127));
    description->version = version;
    model_.operator_codes.push_back(std::move(description));
  }
  auto node = std::make_unique<schema::OperatorT>();
  node->opcode_index = entry->second;
  node->inputs = std::move(inputs);
  node->outputs = std::move(outputs);
  node->builtin_options = std::move(options);
  model_.subgraphs[0]->operators.push_back(std::move(node));
}

Bytes FileWriter::finish(std::vector<int> inputs, std::vector<int> outputs, const std::string& description) {
  model_.description = description;
  model_.subgraphs[0]->inputs = std::move(inputs);
  model_.subgraphs[0]->outputs = std::move(outputs);
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model_));
  const auto* const first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return Bytes(first, first + builder.GetSize());
}

int NodeWriter::integers(std::string_view what, const std::vector<int64_t>& values) {
  std::vector<int32_t> small;
  for (const int64_t value : values) small.push_back(narrow<int32_t>(value));
  return constant(what, {DType::i32, {std::ssize(small)}, {}}, to_bytes(small));
}

int NodeWriter::integer(std::string_view what, int64_t value) {
  return constant(what, {DType::i32, {}, {}}, to_bytes(std::vector<int32_t>{narrow<int32_t>(value)}));
}

int NodeWriter::constant(std::string_view what, const TensorType& type, ByteSpan data) {
  return file_.constant(fmt::format("{}/{}", name_, what), type, data);
}

int NodeWriter::between(std::string_view what, const TensorType& type) {
  return file_.tensor(fmt::format("{}/{}", name_, what), type);
}

}  // namespace mote::tflite
