// SPDX-License-Identifier: Apache-2.0
// Tensors of a .tflite file: conversion to Mote's own types, with every check that needs no operator.
#pragma once

#include "formats/tflite_view.hpp"

namespace mote::tflite {

// FlatBuffers may share one table or vector between many owners, so a small file can unpack to a huge model.
// Every copy out of the file is counted against a limit that is proportional to the file.
class Budget {
 public:
  explicit Budget(size_t file_bytes) : limit_(4 * file_bytes + (size_t{1} << 20)), left_(limit_) {}
  void spend(size_t bytes);

 private:
  size_t limit_, left_;
};

// The first field that the table sets and the schema does not list, or -1. The table is verified.
[[nodiscard]] int unknown_field(const void* table, const flatbuffers::TypeTable* schema);

// Printable text of a name in the file.
[[nodiscard]] std::string clean_name(const flatbuffers::String* text, Budget& budget);

// Throws Error when the file is damaged; what is merely not supported goes to FileTensor::problem.
[[nodiscard]] FileTensor read_tensor(const schema::Model& model, const schema::Tensor& tensor, size_t index,
                                     Budget& budget);

}  // namespace mote::tflite
