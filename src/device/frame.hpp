// SPDX-License-Identifier: Apache-2.0
// The call frame of a loaded function: values -> bytes -> values. SPEC.md, "Call frames", has the form.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "device/signature.hpp"

namespace mote {

using Number = std::variant<int64_t, uint64_t, double>;

struct ArrayValue {
  Scalar element = Scalar::int32;
  Bytes data;
};

struct OutputLength {               // of an array that the function only writes
  std::optional<int64_t> elements;  // none: as the source's declaration says
};

struct NullPointer {};  // the null pointer

using CallArgument = std::variant<Number, ArrayValue, OutputLength, NullPointer>;

struct FramePlace {
  int64_t offset = 0, bytes = 0;  // offset 0: the null pointer
};

// A call. To the device goes the begin of the frame, its end comes back.
struct Marshalled {
  Bytes input;
  int64_t output_offset = 0, output_bytes = 0, frame_bytes = 0;
  std::vector<FramePlace> parameters;  // of arrays
  FramePlace result;
};

// Throws Error that names the function and the parameter when an argument does not fit.
[[nodiscard]] Marshalled marshal(const FunctionSignature& signature, const std::vector<CallArgument>& arguments);

struct ReturnedArray {
  std::string name;  // of the parameter
  ArrayValue values;
};

struct Returned {
  std::optional<Number> result;
  std::vector<ReturnedArray> arrays;  // inout and out, in the order of the parameters; null pointers not
};

// `output` are the frame's last bytes, from output_offset on.
[[nodiscard]] Returned unmarshal(const FunctionSignature& signature, const Marshalled& call, ByteSpan output);

// The bytes of one number as that type. Throws Error that begins with `what` when it does not fit.
void append_number(Bytes& bytes, Scalar type, const Number& number, const std::string& what);
[[nodiscard]] Number read_number(Scalar type, const std::byte* from);

}  // namespace mote
