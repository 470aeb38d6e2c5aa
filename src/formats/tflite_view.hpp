// SPDX-License-Identifier: Apache-2.0
// A checked, read-only view of a .tflite file: what importers and the operators' from_tflite functions read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ir/types.hpp"
#include "tflite_generated.h"

namespace mote::tflite {

// One operator of the file, with its tensors already converted to Mote's own types.
class OpView {
 public:
  std::string name;  // "CONV_2D"; a custom operator's own name
  int version = 1;
  std::vector<const Tensor*> inputs;  // nullptr: optional and absent; constants have data
  std::vector<const Tensor*> outputs;
  std::vector<const Tensor*> intermediates;  // describe the operator's inside (LSTM); never computed or stored
  ByteSpan custom_options;                   // of a custom operator, in its own encoding

  // The builtin options as their FlatBuffers table. Throws Error when the file holds options of another type;
  // an operator without any options gets the schema's defaults only if `Options` may be absent (nullptr is
  // returned).
  template <class Options>
  [[nodiscard]] const Options* options() const {
    if (options_table == nullptr) return nullptr;
    require(options_type == schema::BuiltinOptionsTraits<Options>::enum_value,
            "carries options of type {}, which do not belong to this operator", options_type_name());
    return static_cast<const Options*>(options_table);
  }
  // The same, but options must be there.
  template <class Options>
  [[nodiscard]] const Options& required_options() const {
    const Options* table = options<Options>();
    require(table != nullptr, "carries no options; the file is incomplete, convert the model again");
    return *table;
  }

  // A constant i32 or i64 input as integers. Throws Error when the input is absent, not constant or of another
  // dtype.
  [[nodiscard]] std::vector<int64_t> integers(size_t input, std::string_view what) const;

  const void* options_table = nullptr;
  schema::BuiltinOptions options_type = schema::BuiltinOptions::NONE;
  [[nodiscard]] std::string options_type_name() const;
};

constexpr size_t absent = static_cast<size_t>(-1);  // an optional input that an operator leaves out

struct FileTensor {
  Tensor tensor;
  std::string problem;  // empty: none; else why Mote cannot use this tensor ("has data type FLOAT16, ...")
};

struct FileOperator {
  OpView view;
  std::vector<size_t> in, out;  // indices of tensors; `absent` in `in` only
  std::string problem;          // empty: none; else what in its encoding Mote does not understand
  bool done = false;            // an earlier step of the import has dealt with it: no node
  bool gives_nothing = false;   // it only changes a state
};

struct SubGraph {
  std::vector<FileTensor> tensors;
  std::vector<FileOperator> operators;  // in an order in which they can run
  std::vector<size_t> inputs, outputs;  // indices of tensors
};

// A file that passed every check of structure: indices are in range and data fit their shapes. What is well formed
// but beyond Mote (a data type, a field of a newer schema) stands in `problem`, so that all of it can be reported.
// The views point into the model: it moves, it is never copied.
// It is the first subgraph itself; the others are those that operators call.
struct Model : SubGraph {
  Model() = default;
  Model(Model&&) = default;
  Model& operator=(Model&&) = default;

  std::vector<SubGraph> called;  // number 1 of the file first
  Bytes file;                    // what options tables and custom options point into
};

// Any bytes: a Model or an Error, in memory proportional to their number.
[[nodiscard]] Model parse(ByteSpan bytes);

}  // namespace mote::tflite
