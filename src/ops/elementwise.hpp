// SPDX-License-Identifier: Apache-2.0
// Calls of the kernels in nn/elementwise.hpp: a function object, and how its operands are laid out.
#pragma once

#include <string>

#include "nn/elementwise.hpp"
#include "ops/broadcast.hpp"
#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

// A function object, the text of its type in generated code and the header that defines it.
template <class F>
struct Function {
  F value;
  std::string type, header;
};
template <class F>
Function(F, std::string, std::string) -> Function<F>;  // clang deduces nothing of aggregates before version 17

inline void require_one_of(const std::vector<DType>& dtypes, DType dtype) {
  std::string names;
  for (const DType allowed : dtypes) names += (names.empty() ? "" : " or ") + std::string(name(allowed));
  require(std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end(),
          "has a tensor of type {}, which is not supported; convert the model with {}", name(dtype), names);
}

// Element by element, everything read before anything is written: the output may take an input's place.
[[nodiscard]] inline Order element_by_element(const Shape& shape) {
  return {.dims = static_cast<int>(shape.size()), .block = 1, .reads_first = true};
}

template <class T>
[[nodiscard]] constexpr bool stores(DType dtype) {
  switch (dtype) {
    case DType::i8: return std::is_same_v<T, int8_t>;
    case DType::u8:
    case DType::boolean: return std::is_same_v<T, uint8_t>;
    case DType::i16: return std::is_same_v<T, int16_t>;
    case DType::u16: return std::is_same_v<T, uint16_t>;
    case DType::i32: return std::is_same_v<T, int32_t>;
    case DType::u32: return std::is_same_v<T, uint32_t>;
    case DType::i64: return std::is_same_v<T, int64_t>;
    case DType::u64: return std::is_same_v<T, uint64_t>;
    case DType::f32: return std::is_same_v<T, float>;
    case DType::i4:
    case DType::i2: return false;
  }
  return false;
}

// make(T()) with the one of the C++ types `T` that stores `dtype`.
template <class... T, class Make>
[[nodiscard]] Call for_dtype(DType dtype, Make make) {
  std::optional<Call> call;
  ((stores<T>(dtype) ? (void)(call = make(T())) : void()), ...);
  require(call.has_value(), "internal: no kernel for {}", name(dtype));
  return *std::move(call);
}

template <class... T>
[[nodiscard]] std::string template_id(std::string_view name, std::string_view function) {
  std::string text = fmt::format("{}<{}", name, function);
  ((text += fmt::format(", {}", detail::element_type<T>())), ...);
  return text + ">";
}

template <class In, class Out, class F>
[[nodiscard]] Call map_1_call(const Function<F>& function, const Argument& x, int64_t count) {
  return make_call(nn::map_1<F, In, Out>, template_id<In, Out>("map_1", function.type), function.header,
                   fmt::format("Elements<{}>", function.type),
                   nn::Elements<F>{narrow<int32_t>(count), function.value}, {x, output(0)});
}

// The one number that input `index` holds, if it is a constant of one element.
template <class T>
[[nodiscard]] std::optional<T> constant_number(Inputs in, size_t index) {
  if (!in[index]->constant() || elements(in[index]->type.shape) != 1) return std::nullopt;
  return to_values<T>(in[index]->data).at(0);
}

template <class In, class Out, class F>
[[nodiscard]] Call map_2_call(const Function<F>& function, Inputs in, const TensorType& out) {
  const int64_t count = elements(out.shape);
  if (const auto second = constant_number<In>(in, 1); second && !in[0]->constant()) {
    using With = nn::WithSecond<F, In>;
    const Function<With> with{
        {function.value, *second}, template_id<In>("nn::WithSecond", function.type), function.header};
    return map_1_call<In, Out>(with, input(0), count);
  }
  if (const auto first = constant_number<In>(in, 0); first && !in[1]->constant()) {
    using With = nn::WithFirst<F, In>;
    const Function<With> with{
        {function.value, *first}, template_id<In>("nn::WithFirst", function.type), function.header};
    return map_1_call<In, Out>(with, input(1), count);
  }
  std::vector<Constant> constants;
  const Argument a = data_argument(in, 0, constants);
  const Argument b = data_argument(in, 1, constants);
  const std::string params = fmt::format("Elements<{}>", function.type);
  Call call;
  if (elements(in[0]->type.shape) == count && elements(in[1]->type.shape) == count) {
    call = make_call(nn::map_2<F, In, Out>, template_id<In, Out>("map_2", function.type), function.header, params,
                     nn::Elements<F>{narrow<int32_t>(count), function.value}, {a, b, output(0)});
  } else {
    const BroadcastTable table = broadcast_table(out.shape, {in[0]->type.shape, in[1]->type.shape});
    constants.push_back(table.table);
    call = make_call(nn::map_2_broadcast<F, In, Out>, template_id<In, Out>("map_2_broadcast", function.type),
                     function.header, params, nn::Elements<F>{table.dimensions, function.value},
                     {a, b, constant(constants.size() - 1), output(0)});
  }
  call.constants = std::move(constants);
  return call;
}

// The function with a fused activation behind it.
template <class T, class F>
[[nodiscard]] Function<nn::Clamped<F, T>> clamped(const Function<F>& function, T low, T high) {
  return {{function.value, low, high}, template_id<T>("nn::Clamped", function.type), function.header};
}

}  // namespace mote::op
