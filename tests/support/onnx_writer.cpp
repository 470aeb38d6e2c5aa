// SPDX-License-Identifier: Apache-2.0
#include "support/onnx_writer.hpp"

namespace mote::test {

namespace schema = onnx::schema;

namespace {

int32_t file_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::u8: return 2;
    case DType::i8: return 3;
    case DType::u16: return 4;
    case DType::i16: return 5;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::boolean: return 9;
    case DType::u32: return 12;
    case DType::u64: return 13;
    case DType::i4: return 22;
    case DType::i2: break;
  }
  fail("no data type of ONNX: {}", name(dtype));
}

schema::Attribute& add(schema::Node& node, const std::string& name, int type) {
  schema::Attribute& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

void describe(schema::ValueInfo& value, const std::string& name, const Shape& shape, DType dtype) {
  value.set_name(name);
  schema::TensorType& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(file_type(dtype));
  type.mutable_shape();
  for (const int64_t extent : shape) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

}  // namespace

OnnxWriter::OnnxWriter(int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("test");
}

void OnnxWriter::input(const std::string& name, const Shape& shape, DType dtype) {
  describe(*model_.mutable_graph()->add_input(), name, shape, dtype);
}

void OnnxWriter::symbolic_input(const std::string& name, const std::vector<std::string>& extents) {
  schema::ValueInfo& value = *model_.mutable_graph()->add_input();
  describe(value, name, {}, DType::f32);
  for (const std::string& extent : extents) {
    schema::Dimension& dimension = *value.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim();
    if (extent.find_first_not_of("0123456789") == std::string::npos) {
      dimension.set_dim_value(std::stoll(extent));
    } else {
      dimension.set_dim_param(extent);
    }
  }
}

void OnnxWriter::output(const std::string& name, const Shape& shape, DType dtype) {
  describe(*model_.mutable_graph()->add_output(), name, shape, dtype);
}

schema::Tensor& OnnxWriter::constant(const std::string& name, const TensorType& type, ByteSpan data) {
  schema::Tensor& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(file_type(type.dtype));
  for (const int64_t extent : type.shape) tensor.add_dims(extent);
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(data.data()), data.size()));
  return tensor;
}

schema::Tensor& OnnxWriter::constant(const std::string& name, const Shape& shape,
                                     const std::vector<float>& values) {
  return constant(name, {DType::f32, shape, {}}, ByteSpan(to_bytes(values)));
}

schema::Tensor& OnnxWriter::constant(const std::string& name, const Shape& shape,
                                     const std::vector<int64_t>& values) {
  return constant(name, {DType::i64, shape, {}}, ByteSpan(to_bytes(values)));
}

schema::Node& OnnxWriter::node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs) {
  schema::Node& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return node;
}

void OnnxWriter::set(schema::Node& node, const std::string& attribute, int64_t value) {
  add(node, attribute, 2).set_i(value);
}

void OnnxWriter::set(schema::Node& node, const std::string& attribute, float value) {
  add(node, attribute, 1).set_f(value);
}

void OnnxWriter::set(schema::Node& node, const std::string& attribute, std::initializer_list<int64_t> values) {
  schema::Attribute& added = add(node, attribute, 7);
  for (const int64_t value : values) added.add_ints(value);
}

void OnnxWriter::set(schema::Node& node, const std::string& attribute, const std::string& text) {
  add(node, attribute, 3).set_s(text);
}

void OnnxWriter::linear(const std::string& op, const std::string& from, const std::string& to, float scale,
                        int zero, DType dtype) {
  const std::string scale_name = to + "_scale", zero_name = to + "_zero";
  constant(scale_name, Shape{}, std::vector<float>{scale});
  const std::vector<std::byte> code{static_cast<std::byte>(zero)};
  constant(zero_name, {dtype, {}, {}}, ByteSpan(code));
  node(op, {from, scale_name, zero_name}, {to});
}

Bytes OnnxWriter::bytes() const {
  const std::string text = model_.SerializeAsString();
  const auto* const first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

}  // namespace mote::test
