// SPDX-License-Identifier: Apache-2.0
// A call of one kernel as data: code generation prints it and the simulator runs it, so both use one kernel
// source.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ir/types.hpp"

namespace mote {

// One member of a kernel's parameter struct: `text` is its C++ literal.
struct Field {
  std::string name, text;
};

// Flash data that a kernel reads, in the order and packing that the kernel wants.
struct Constant {
  std::string name;  // "weights", "bias"; becomes part of the symbol's name
  DType dtype = DType::i8;
  Bytes data;
  bool weight = true;  // false: a table that belongs to the code (counted as code, shared between equal contents)
  size_t scales_bytes = 0;  // how much of the data stands in front of the weights, in constants that have both
  int weight_bits = 8;      // of the weights behind it
};

// What stands at one place of the kernel's argument list, after the parameter struct.
struct Argument {
  enum class Kind { input, output, constant, scratch, state };
  Kind kind = Kind::input;
  size_t index = 0;    // of the node's inputs (input, state) or outputs, or of Call::constants; 0 for scratch
  std::string c_type;  // element type of the pointer, "int8_t"
};

// In which order a kernel writes its output, as far as its reads of the input are concerned. The output (of rank
// r) is produced in steps; a step is `block` consecutive index tuples of the first `dims` output dimensions (row
// major) with everything below them. In step s the kernel reads exactly what Operator::needs says of that step's
// region.
//   dims = 0: one step; the output may not share a byte with any input.
//   dims = 2 of NHWC: a row at a time.   dims = r: an element at a time.
// reads_first: a step has read all its inputs before it writes its first byte (true for element-wise kernels).
struct Order {
  int dims = 0;
  int64_t block = 1;
  bool reads_first = false;
};

// What a step takes, roughly: which layers get a copy of their kernel with constant parameters is chosen by it.
struct Estimate {
  double instructions = -1;   // where layers share the kernel; below 0: unknown
  double own_saves = -1;      // of these, by a copy; below 0: unknown
  double own_bytes = 150;     // of code, that a copy takes
  double shared_bytes = 300;  // and what layers share
};

struct Call {
  std::string kernel;  // function in namespace nn: "conv2d_s8"
  std::string header;  // "nn/conv2d.hpp"
  std::string params;  // struct in namespace nn: "Conv2d"
  std::vector<Field> fields;
  size_t params_bytes = 0;  // of that struct
  std::vector<Constant> constants;
  std::vector<Argument> arguments;
  int64_t scratch_bytes = 0;
  Estimate estimate;
  Order order;
  std::function<void(std::span<void* const> pointers)> run;  // one pointer per argument, in their order

  [[nodiscard]] bool empty() const { return kernel.empty(); }  // a view: nothing runs
};

namespace detail {

[[nodiscard]] std::string float_literal(float value);  // exact, C++17: "0x1.8p-3f", "INFINITY" handled

template <class T>
std::string literal(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_floating_point_v<T>) {
    return float_literal(static_cast<float>(value));
  } else if constexpr (std::is_class_v<T>) {  // a struct with fields() of its own
    std::string text;
    value.fields(
        [&](std::string_view, const auto& member) { text += (text.empty() ? "{" : ", ") + literal(member); });
    return (text.empty() ? "{" : text) + "}";
  } else if constexpr (std::is_same_v<T, int64_t>) {  // the lowest value has no literal of its own
    return value == INT64_MIN ? "-9223372036854775807 - 1" : std::to_string(value);
  } else {
    return std::to_string(value);
  }
}

constexpr size_t aligned(size_t offset, size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

template <class T>
constexpr std::string_view element_type() {
  using Value = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Value, int8_t>) return "int8_t";
  if constexpr (std::is_same_v<Value, uint8_t>) return "uint8_t";
  if constexpr (std::is_same_v<Value, int16_t>) return "int16_t";
  if constexpr (std::is_same_v<Value, uint16_t>) return "uint16_t";
  if constexpr (std::is_same_v<Value, int32_t>) return "int32_t";
  if constexpr (std::is_same_v<Value, uint32_t>) return "uint32_t";
  if constexpr (std::is_same_v<Value, int64_t>) return "int64_t";
  if constexpr (std::is_same_v<Value, uint64_t>) return "uint64_t";
  if constexpr (std::is_same_v<Value, float>) return "float";
}

template <class Params, class... Pointers, size_t... I>
void invoke(void (*kernel)(const Params&, Pointers...), const Params& params, std::span<void* const> pointers,
            std::index_sequence<I...>) {
  kernel(params, static_cast<Pointers>(pointers[I])...);
}

}  // namespace detail

[[nodiscard]] Argument input(size_t index);
[[nodiscard]] Argument output(size_t index);
[[nodiscard]] Argument constant(size_t index);
[[nodiscard]] Argument scratch();
[[nodiscard]] Argument state(size_t index);  // the node's input `index`, a state tensor that the kernel updates

// Ties a kernel's function, its parameters and its arguments together; the element types come from the function's
// own signature. `Params::fields(f)` calls f(name, value) for every member in declaration order.
//   Call call = make_call(nn::softmax_s8, "softmax_s8", "nn/softmax.hpp", "Softmax", params, {input(0),
//   output(0)});
template <class Params, class... Pointers>
[[nodiscard]] Call make_call(void (*kernel)(const Params&, Pointers...), std::string function, std::string header,
                             std::string params_type, const Params& params, std::vector<Argument> arguments) {
  require(arguments.size() == sizeof...(Pointers), "{} takes {} pointers, {} given", function, sizeof...(Pointers),
          arguments.size());
  Call call;
  const std::string_view types[] = {detail::element_type<std::remove_pointer_t<Pointers>>()...};
  for (size_t i = 0; i < arguments.size(); ++i) arguments[i].c_type = types[i];
  // Generated code initialises the struct positionally, so fields() must visit every member, in order of
  // declaration.
  size_t visited = 0;
  params.fields([&](std::string_view name, const auto& value) {
    const auto offset =
        static_cast<size_t>(reinterpret_cast<const char*>(&value) - reinterpret_cast<const char*>(&params));
    require(offset == detail::aligned(visited, alignof(std::remove_cvref_t<decltype(value)>)),
            "internal: {}::fields() misses a member before {}", params_type, name);
    visited = offset + sizeof(value);
    call.fields.push_back({std::string(name), detail::literal(value)});
  });
  require(detail::aligned(visited, alignof(Params)) == sizeof(Params), "internal: {}::fields() misses a member",
          params_type);
  call.kernel = std::move(function);
  call.header = std::move(header);
  call.params = std::move(params_type);
  call.params_bytes = sizeof(Params);
  call.arguments = std::move(arguments);
  call.run = [kernel, params](std::span<void* const> pointers) {
    detail::invoke(kernel, params, pointers, std::index_sequence_for<Pointers...>{});
  };
  return call;
}

}  // namespace mote
