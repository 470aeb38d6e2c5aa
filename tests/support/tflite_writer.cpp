// SPDX-License-Identifier: Apache-2.0
#include "support/tflite_writer.hpp"

#include <algorithm>
#include <memory>

#include "formats/tflite_writer.hpp"

namespace mote::test {

namespace schema = tflite::schema;

TfliteWriter::TfliteWriter() {
  model_.version = 3;
  model_.subgraphs.push_back(std::make_unique<schema::SubGraphT>());
  model_.buffers.push_back(std::make_unique<schema::BufferT>());
}

int TfliteWriter::tensor(std::string name, const TensorType& type) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = std::move(name);
  tensor->type = tflite::file_type(type.dtype);
  for (const int64_t extent : type.shape) tensor->shape.push_back(narrow<int32_t>(extent));
  if (!type.quant.empty()) {
    tensor->quantization = std::make_unique<schema::QuantizationParametersT>();
    tensor->quantization->scale = type.quant.scale;
    tensor->quantization->zero_point.assign(type.quant.zero.begin(), type.quant.zero.end());
    tensor->quantization->quantized_dimension = std::max(type.quant.axis, 0);
  }
  graph().tensors.push_back(std::move(tensor));
  return static_cast<int>(graph().tensors.size()) - 1;
}

int TfliteWriter::constant(std::string name, const TensorType& type, ByteSpan data) {
  const int index = tensor(std::move(name), type);
  tensor_at(index).buffer = static_cast<uint32_t>(model_.buffers.size());
  auto buffer = std::make_unique<schema::BufferT>();
  const auto* const first = reinterpret_cast<const uint8_t*>(data.data());
  buffer->data.assign(first, first + data.size());
  model_.buffers.push_back(std::move(buffer));
  return index;
}

schema::OperatorT& TfliteWriter::add(schema::BuiltinOperator code, std::vector<int> inputs,
                                     std::vector<int> outputs) {
  auto entry = std::make_unique<schema::OperatorCodeT>();
  entry->builtin_code = code;
  entry->deprecated_builtin_code = static_cast<int8_t>(std::min(static_cast<int>(code), 127));
  auto node = std::make_unique<schema::OperatorT>();
  node->opcode_index = static_cast<uint32_t>(model_.operator_codes.size());
  node->inputs = std::move(inputs);
  node->outputs = std::move(outputs);
  model_.operator_codes.push_back(std::move(entry));
  graph().operators.push_back(std::move(node));
  return *graph().operators.back();
}

schema::OperatorT& TfliteWriter::add_custom(std::string code, std::vector<int> inputs, std::vector<int> outputs) {
  schema::OperatorT& result = add(schema::BuiltinOperator::CUSTOM, std::move(inputs), std::move(outputs));
  model_.operator_codes.back()->custom_code = std::move(code);
  return result;
}

void TfliteWriter::finish(std::vector<int> inputs, std::vector<int> outputs) {
  graph().inputs = std::move(inputs);
  graph().outputs = std::move(outputs);
}

Bytes TfliteWriter::bytes() const {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model_));
  const auto* const first = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return Bytes(first, first + builder.GetSize());
}

}  // namespace mote::test
