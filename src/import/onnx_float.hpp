// SPDX-License-Identifier: Apache-2.0
// Shorthand for translations: operands that broadcast, and float arithmetic on values.
#pragma once

#include "import/onnx_builder.hpp"

namespace mote::onnx {

// Operands brought to one layout, and the layout of their element-wise result.
struct Broadcast {
  std::vector<TensorId> ids;
  Layout layout;
};
[[nodiscard]] Broadcast broadcast(Builder& builder, const std::vector<Value>& values);

[[nodiscard]] float value_scale(const Builder& builder, const Value& value);  // of a quantised value
[[nodiscard]] DType dtype_of_attribute(int64_t number);                       // the file's number of a data type

// Float operators on plain values: what decompositions are written in.
class FloatMath {
 public:
  explicit FloatMath(Builder& builder) : builder_(builder) {}

  [[nodiscard]] Value number(float value);
  [[nodiscard]] Value unary(std::string_view op, const Value& a);  // operators without options
  [[nodiscard]] Value add(const Value& a, const Value& b);
  [[nodiscard]] Value subtract(const Value& a, const Value& b);
  [[nodiscard]] Value multiply(const Value& a, const Value& b);
  [[nodiscard]] Value divide(const Value& a, const Value& b);
  [[nodiscard]] Value maximum(const Value& a, const Value& b);
  [[nodiscard]] Value minimum(const Value& a, const Value& b);
  [[nodiscard]] Value mean(const Value& a, const std::vector<size_t>& axes);  // the axes stay, with extent 1
  [[nodiscard]] Value add(const Value& a, float b) { return add(a, number(b)); }
  [[nodiscard]] Value multiply(const Value& a, float b) { return multiply(a, number(b)); }

 private:
  template <class Options>
  [[nodiscard]] Value binary(std::string_view op, const Value& a, const Value& b);

  Builder& builder_;
};

}  // namespace mote::onnx
