// SPDX-License-Identifier: Apache-2.0
// A checked, read-only view of an .onnx file: what the importer reads.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/types.hpp"
#include "onnx.pb.h"

namespace mote::onnx {

constexpr int64_t lowest_opset = 13, highest_opset = 27;  // of the standard operators

// A constant of the file. What is well formed but beyond Mote (a data type) stands in `problem`.
struct FileTensor {
  Tensor tensor;
  std::string problem;  // empty: none
};

// One node. Attributes are read by name and type; a node whose attributes were not all read was not understood.
class Node {
 public:
  std::string op;                            // "Conv"
  std::string domain;                        // "": the standard operators
  std::string label;                         // "Conv #7 (name in the file)": what messages call it
  int64_t opset = 0;                         // of its domain
  std::vector<std::string> inputs, outputs;  // names of values; "": optional and absent

  [[nodiscard]] bool has(std::string_view attribute) const;
  [[nodiscard]] int64_t integer(std::string_view attribute, int64_t otherwise) const;
  [[nodiscard]] int64_t integer(std::string_view attribute) const;  // must be there
  [[nodiscard]] float real(std::string_view attribute, float otherwise) const;
  [[nodiscard]] std::string text(std::string_view attribute, std::string_view otherwise) const;
  [[nodiscard]] std::vector<int64_t> integers(std::string_view attribute) const;  // {}: absent
  [[nodiscard]] std::vector<float> reals(std::string_view attribute) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view attribute) const;
  [[nodiscard]] std::optional<FileTensor> tensor(std::string_view attribute) const;
  void ignore(std::string_view attribute) const;  // read: it changes nothing in inference

  // Throws Error that lists the attributes that nobody asked for.
  void require_all_read() const;

  // Adds an attribute or replaces it: for nodes that the importer writes itself.
  void set(std::string_view attribute, int64_t value);
  void set(std::string_view attribute, float value);
  void set(std::string_view attribute, const std::vector<int64_t>& values);

  void add(schema::Attribute attribute);  // Throws Error when it is there twice or holds what Mote cannot read
  std::filesystem::path folder;           // of external data

 private:
  [[nodiscard]] const schema::Attribute* find(std::string_view attribute, int type) const;

  std::map<std::string, schema::Attribute, std::less<>> attributes_;
  mutable std::set<std::string, std::less<>> read_;
};

struct Extent {
  int64_t value = -1;  // -1: symbolic or not stated
  std::string symbol;  // may be empty
};

struct ValueInfo {
  std::string name;
  DType dtype = DType::f32;
  std::optional<std::vector<Extent>> shape;  // absent: not stated at all
  std::string problem;                       // empty: none
};

// A file that passed every check of structure.
struct Model {
  std::vector<Node> nodes;  // in an order in which they can run
  std::map<std::string, FileTensor> initialisers;
  std::vector<ValueInfo> inputs, outputs;  // inputs without those that have an initialiser
};

// True when the bytes may be an .onnx model: they are a protobuf message whose first fields are a model's.
[[nodiscard]] bool looks_like_onnx(ByteSpan bytes);

// Any bytes: a Model or an Error, in memory proportional to their number. `folder` is where external data lies;
// empty: nowhere.
[[nodiscard]] Model parse(ByteSpan bytes, const std::filesystem::path& folder);

}  // namespace mote::onnx
