// SPDX-License-Identifier: Apache-2.0
// Checks and conversions that many operators make in infer() and lower().
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

#include "ir/operator.hpp"

namespace mote::op {

// The type of input `index`, which must be there.
[[nodiscard]] inline const TensorType& input_type(Inputs in, size_t index) {
  require(index < in.size() && in[index] != nullptr,
          "lacks input {}; the file is incomplete, convert the model again", index);
  return in[index]->type;
}

// The type of the only input.
[[nodiscard]] inline const TensorType& one_input(Inputs in) {
  require(in.size() == 1, "has {} inputs, it takes 1", in.size());
  return input_type(in, 0);
}

inline void require_dtype(const TensorType& type, std::initializer_list<DType> allowed, std::string_view what) {
  if (std::find(allowed.begin(), allowed.end(), type.dtype) != allowed.end()) return;
  std::string names;
  for (const DType dtype : allowed) {
    if (!names.empty()) names += " or ";
    names += name(dtype);
  }
  fail("has an {} of type {}, which is not supported; convert the model with {}", what, name(type.dtype), names);
}

// The one output that the file declares; its dtype must be `dtype`.
[[nodiscard]] inline TensorType declared_type(const Types& declared, DType dtype) {
  require(declared.size() == 1, "has {} outputs, it gives 1", declared.size());
  require(declared[0].dtype == dtype, "has an output of type {}, its inputs make it {}", name(declared[0].dtype),
          name(dtype));
  return declared[0];
}

// Where a kernel finds input `index`: in the arena, or in flash as one more of `constants`.
[[nodiscard]] inline Argument data_argument(Inputs in, size_t index, std::vector<Constant>& constants) {
  if (!in[index]->constant()) return input(index);
  constants.push_back({fmt::format("data{}", index), in[index]->type.dtype, in[index]->data, true});
  return constant(constants.size() - 1);
}

// For operators that move quantised values without changing them.
inline void require_same_quantization(const TensorType& input, const TensorType& output) {
  const float from = tensor_scale(input, "input");
  const float to = tensor_scale(output, "output");
  require(std::abs(from - to) <= 1e-6F * std::max(1.0F, from) &&
              tensor_zero(input, "input") == tensor_zero(output, "output"),
          "has input scale {} zero point {} but output scale {} zero point {}; they must be equal, convert the "
          "model again",
          from, tensor_zero(input, "input"), to, tensor_zero(output, "output"));
}

}  // namespace mote::op
