// SPDX-License-Identifier: Apache-2.0
// Checks that the operators of the signal library share.
#pragma once

#include "formats/custom_options.hpp"
#include "ops/checks.hpp"

namespace mote::op {

// The type of input `index`, which must be `dtype` of rank `rank` (-1: any).
[[nodiscard]] inline const TensorType& signal_input(Inputs in, size_t index, DType dtype, int rank = 1) {
  const TensorType& type = input_type(in, index);
  require(
      type.dtype == dtype && (rank < 0 || static_cast<int>(type.shape.size()) == rank) && elements(type.shape) > 0,
      "has input {} of {} {}; {} of rank {} was expected", index, name(type.dtype), to_text(type.shape),
      name(dtype), rank < 0 ? "any" : std::to_string(rank));
  return type;
}

// The values of a constant int16 input.
[[nodiscard]] inline std::vector<int16_t> signal_table(Inputs in, size_t index) {
  (void)signal_input(in, index, DType::i16);
  require(in[index]->constant(), "computes its table (input {}) at run time; export it as a constant", index);
  return to_values<int16_t>(in[index]->data);
}

// Output types: shapes computed, data types demanded, quantisation as the file states it.
[[nodiscard]] inline Types signal_outputs(const Types& declared,
                                          const std::vector<std::pair<DType, Shape>>& wanted) {
  require(declared.size() == wanted.size(), "has {} outputs, it gives {}", declared.size(), wanted.size());
  Types out = declared;
  for (size_t i = 0; i < out.size(); ++i) {
    require(out[i].dtype == wanted[i].first, "has output {} of type {}, it gives {}", i, name(out[i].dtype),
            name(wanted[i].first));
    out[i].shape = wanted[i].second;
  }
  return out;
}

[[nodiscard]] inline Tensor signal_constant(std::string name, DType dtype, Bytes data) {
  const auto count = static_cast<int64_t>(data.size()) * 8 / bits(dtype);
  return {std::move(name), {dtype, {count}, {}}, std::move(data)};
}

}  // namespace mote::op
