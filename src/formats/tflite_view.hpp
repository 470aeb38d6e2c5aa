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
  std::string name;                       // "CONV_2D"; a custom operator's own name
  int version = 1;
  std::vector<const Tensor*> inputs;      // nullptr: optional and absent; constants have data
  std::vector<const Tensor*> outputs;

  // The builtin options as their FlatBuffers table. Throws Error when the file holds options of another type;
  // an operator without any options gets the schema's defaults only if `Options` may be absent (nullptr is returned).
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

  // A constant i32 or i64 input as integers. Throws Error when the input is absent, not constant or of another dtype.
  [[nodiscard]] std::vector<int64_t> integers(size_t input, std::string_view what) const;

  const void* options_table = nullptr;
  schema::BuiltinOptions options_type = schema::BuiltinOptions::NONE;
  [[nodiscard]] std::string options_type_name() const;
};

}  // namespace mote::tflite
