// SPDX-License-Identifier: Apache-2.0
// Writes a .tflite file: tensors and operators one by one, and the bytes at the end.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/types.hpp"
#include "tflite_generated.h"

namespace mote::tflite {

// A file of one subgraph. Tensors are numbers of the file.
class FileWriter {
 public:
  FileWriter();

  int tensor(const std::string& name, const TensorType& type);  // computed, or an input
  int constant(const std::string& name, const TensorType& type, ByteSpan data);
  void add(schema::BuiltinOperator code, int version, std::vector<int> inputs, std::vector<int> outputs,
           schema::BuiltinOptionsUnion options);

  // `description` tells who wrote the file.
  [[nodiscard]] Bytes finish(std::vector<int> inputs, std::vector<int> outputs, const std::string& description);

 private:
  schema::ModelT model_;
  std::map<std::pair<int, int>, uint32_t> codes_;  // of (operator, version)
};

// What an operator's to_tflite() writes through: its own tensors in the file, and further ones that it needs.
class NodeWriter {
 public:
  NodeWriter(FileWriter& file, std::string name, std::vector<int> inputs, std::vector<int> outputs)
      : file_(file), name_(std::move(name)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  [[nodiscard]] int input(size_t index) const { return inputs_.at(index); }  // -1: optional and absent
  [[nodiscard]] int output(size_t index = 0) const { return outputs_.at(index); }
  [[nodiscard]] const std::vector<int>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<int>& outputs() const { return outputs_; }

  // Further tensors: constants, and what stands between two operators of the file.
  int integers(std::string_view what, const std::vector<int64_t>& values);  // i32 of rank 1
  int integer(std::string_view what, int64_t value);                        // i32, a scalar
  int constant(std::string_view what, const TensorType& type, ByteSpan data);
  int between(std::string_view what, const TensorType& type);

  // An operator; `version` as the specification of the file format counts them.
  template <class Options>
  void add(schema::BuiltinOperator code, int version, std::vector<int> inputs, std::vector<int> outputs,
           Options options) {
    schema::BuiltinOptionsUnion held;
    held.Set(std::move(options));
    file_.add(code, version, std::move(inputs), std::move(outputs), std::move(held));
  }
  void add(schema::BuiltinOperator code, int version, std::vector<int> inputs, std::vector<int> outputs) {
    file_.add(code, version, std::move(inputs), std::move(outputs), {});
  }
  // From all of the node's inputs to all of its outputs.
  template <class Options>
  void add(schema::BuiltinOperator code, int version, Options options) {
    add(code, version, inputs_, outputs_, std::move(options));
  }
  void add(schema::BuiltinOperator code, int version) { add(code, version, inputs_, outputs_); }

 private:
  FileWriter& file_;
  std::string name_;
  std::vector<int> inputs_, outputs_;
};

// The operator whose name in the schema is `name` in capitals. Throws Error when there is none.
[[nodiscard]] schema::BuiltinOperator builtin_operator(std::string_view name);

[[nodiscard]] schema::TensorType file_type(DType dtype);

// The version of an operator that has a second one for i8 and a third one for i16.
[[nodiscard]] int usual_version(DType dtype);

}  // namespace mote::tflite
