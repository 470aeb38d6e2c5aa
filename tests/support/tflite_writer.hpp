// SPDX-License-Identifier: Apache-2.0
// Small .tflite files for tests, well-formed or deliberately not.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/types.hpp"
#include "tflite_generated.h"

namespace mote::test {

// Builds a model with one subgraph. Indices are those of the file. Everything in model() may be spoilt before
// bytes().
//   TfliteWriter file;
//   const int x = file.tensor("x", {DType::i8, {1, 4}, {{0.5F}, {0}}});
//   const int y = file.tensor("y", {DType::i8, {1, 4}, {{0.5F}, {0}}});
//   file.add(schema::BuiltinOperator::SOFTMAX, {x}, {y}, tflite::schema::SoftmaxOptionsT{});
//   file.finish({x}, {y});
class TfliteWriter {
 public:
  TfliteWriter();

  int tensor(std::string name, const TensorType& type);  // computed, or an input
  int constant(std::string name, const TensorType& type, ByteSpan data);
  template <class T>
  int constant(std::string name, const TensorType& type, const std::vector<T>& values) {
    return constant(std::move(name), type, ByteSpan(to_bytes(values)));
  }

  // An operator; -1 in `inputs` leaves an optional one out.
  tflite::schema::OperatorT& add(tflite::schema::BuiltinOperator code, std::vector<int> inputs,
                                 std::vector<int> outputs);
  template <class Options>
  tflite::schema::OperatorT& add(tflite::schema::BuiltinOperator code, std::vector<int> inputs,
                                 std::vector<int> outputs, Options options) {
    tflite::schema::OperatorT& result = add(code, std::move(inputs), std::move(outputs));
    result.builtin_options.Set(std::move(options));
    return result;
  }
  tflite::schema::OperatorT& add_custom(std::string code, std::vector<int> inputs, std::vector<int> outputs);

  void finish(std::vector<int> inputs, std::vector<int> outputs);

  [[nodiscard]] tflite::schema::ModelT& model() { return model_; }
  [[nodiscard]] tflite::schema::SubGraphT& graph() { return *model_.subgraphs.at(0); }
  [[nodiscard]] tflite::schema::TensorT& tensor_at(int index) {
    return *graph().tensors.at(static_cast<size_t>(index));
  }
  [[nodiscard]] Bytes bytes() const;

 private:
  tflite::schema::ModelT model_;
};

}  // namespace mote::test
