// SPDX-License-Identifier: Apache-2.0
// Small .onnx files for tests, well-formed or deliberately not.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "ir/types.hpp"
#include "onnx.pb.h"

namespace mote::test {

// Builds a model of one graph. Everything in model() may be spoilt before bytes().
//   OnnxWriter file;
//   file.input("x", {1, 3, 8, 8});
//   file.constant("w", {4, 3, 3, 3}, weights);
//   OnnxWriter::set(file.node("Conv", {"x", "w"}, {"y"}), "pads", {1, 1, 1, 1});
//   file.output("y", {1, 4, 8, 8});
class OnnxWriter {
 public:
  explicit OnnxWriter(int64_t opset = 17);

  void input(const std::string& name, const Shape& shape, DType dtype = DType::f32);
  void symbolic_input(const std::string& name, const std::vector<std::string>& extents);  // "3" is a number
  void output(const std::string& name, const Shape& shape, DType dtype = DType::f32);
  onnx::schema::Tensor& constant(const std::string& name, const Shape& shape, const std::vector<float>& values);
  onnx::schema::Tensor& constant(const std::string& name, const Shape& shape, const std::vector<int64_t>& values);
  onnx::schema::Tensor& constant(const std::string& name, const TensorType& type, ByteSpan data);

  onnx::schema::Node& node(const std::string& op, const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs);
  static void set(onnx::schema::Node& node, const std::string& attribute, int64_t value);
  static void set(onnx::schema::Node& node, const std::string& attribute, float value);
  static void set(onnx::schema::Node& node, const std::string& attribute, std::initializer_list<int64_t> values);
  static void set(onnx::schema::Node& node, const std::string& attribute, const std::string& text);

  // DequantizeLinear or QuantizeLinear from `from` to `to`; u8 or i8 codes.
  void linear(const std::string& op, const std::string& from, const std::string& to, float scale, int zero,
              DType dtype);

  [[nodiscard]] onnx::schema::Model& model() { return model_; }
  [[nodiscard]] Bytes bytes() const;

 private:
  onnx::schema::Model model_;
};

}  // namespace mote::test
