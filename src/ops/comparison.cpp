// SPDX-License-Identifier: Apache-2.0
// Comparisons of two tensors, and logic of two masks.
#include "nn/comparison.hpp"

#include "ops/binary.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/comparison.hpp";

template <class F>
Call compare_call(F value, const char* type, const BinaryUse& use) {
  if ((use.a().dtype != DType::i8 && use.a().dtype != DType::u8) || use.a().quant.empty()) {
    return for_dtype<int8_t, uint8_t, int16_t, int32_t, int64_t, float>(use.a().dtype, [&]<class T>(T) {
      return map_2_call<T, uint8_t>(Function<F>{value, type, header}, use.in, use.out);
    });
  }
  const FixedMultiplier a = quantize_multiplier(static_cast<double>(tensor_scale(use.a(), "first input")));
  const FixedMultiplier b = quantize_multiplier(static_cast<double>(tensor_scale(use.b(), "second input")));
  // Differences from a zero point have 9 bits, 256ths of them 17.
  require(a.shift <= 14 && b.shift <= 14, "has inputs with scales {} and {}; scales up to 16384 are supported",
          tensor_scale(use.a(), "first input"), tensor_scale(use.b(), "second input"));
  const Function<nn::CompareReals<F>> function{{tensor_zero(use.a(), "first input"), a.multiplier, a.shift,
                                                tensor_zero(use.b(), "second input"), b.multiplier, b.shift},
                                               fmt::format("nn::CompareReals<{}>", type),
                                               header};
  return for_dtype<int8_t, uint8_t>(use.a().dtype,
                                    [&]<class T>(T) { return map_2_call<T, uint8_t>(function, use.in, use.out); });
}

template <class F>
Call logic_call(F value, const char* type, const BinaryUse& use) {
  return map_2_call<uint8_t, uint8_t>(Function<F>{value, type, header}, use.in, use.out);
}

const std::vector<DType> ordered{DType::i8, DType::u8, DType::i16, DType::f32, DType::i32, DType::i64};
const std::vector<DType> comparable{DType::i8,  DType::u8,  DType::i16,    DType::f32,
                                    DType::i32, DType::i64, DType::boolean};
const std::vector<DType> masks{DType::boolean};

const BinaryKind equal{"equal", comparable, true,
                       [](long double a, long double b, bool) -> long double { return a == b; },
                       [](const BinaryUse& use) { return compare_call(nn::Equal(), "nn::Equal", use); }};
const BinaryKind not_equal{"not_equal", comparable, true,
                           [](long double a, long double b, bool) -> long double { return a != b; },
                           [](const BinaryUse& use) { return compare_call(nn::NotEqual(), "nn::NotEqual", use); }};
const BinaryKind less{"less", ordered, true,
                      [](long double a, long double b, bool) -> long double { return a < b; },
                      [](const BinaryUse& use) { return compare_call(nn::Less(), "nn::Less", use); }};
const BinaryKind less_equal{
    "less_equal", ordered, true, [](long double a, long double b, bool) -> long double { return a <= b; },
    [](const BinaryUse& use) { return compare_call(nn::LessEqual(), "nn::LessEqual", use); }};
const BinaryKind greater{"greater", ordered, true,
                         [](long double a, long double b, bool) -> long double { return a > b; },
                         [](const BinaryUse& use) { return compare_call(nn::Greater(), "nn::Greater", use); }};
const BinaryKind greater_equal{
    "greater_equal", ordered, true, [](long double a, long double b, bool) -> long double { return a >= b; },
    [](const BinaryUse& use) { return compare_call(nn::GreaterEqual(), "nn::GreaterEqual", use); }};
const BinaryKind logical_and{
    "logical_and", masks, true, [](long double a, long double b, bool) -> long double { return a != 0 && b != 0; },
    [](const BinaryUse& use) { return logic_call(nn::LogicalAnd(), "nn::LogicalAnd", use); }};
const BinaryKind logical_or{
    "logical_or", masks, true, [](long double a, long double b, bool) -> long double { return a != 0 || b != 0; },
    [](const BinaryUse& use) { return logic_call(nn::LogicalOr(), "nn::LogicalOr", use); }};

template <const BinaryKind& kind>
Made from_tflite(const tflite::OpView&) {
  return {std::make_shared<Binary>(kind, Activation::none), {0, 1}};
}

Sample sample(std::mt19937& random) {
  const BinaryKind* const kinds[] = {&equal,   &not_equal,     &less,        &less_equal,
                                     &greater, &greater_equal, &logical_and, &logical_or};
  const BinaryKind& kind = *kinds[random_integer(random, 0, std::ssize(kinds) - 1)];
  const DType dtype = kind.dtypes[static_cast<size_t>(random_integer(random, 0, std::ssize(kind.dtypes) - 1))];
  RandomOperands operands = random_operands(random, dtype);
  if (dtype == DType::i16) operands.in[0]->type.quant = operands.in[1]->type.quant = {};
  // Of one scale, at least twice the rounding's step, differences are never lost in it.
  if (dtype == DType::i8)
    operands.in[0]->type.quant = operands.in[1]->type.quant = {{random_real(random, 0.01F, 2.0F)}, {3}, -1};
  return {
      std::make_shared<Binary>(kind, Activation::none), operands.in, {{DType::boolean, operands.shape, {}}}, 0};
}

}  // namespace

extern const OpDef comparison{.name = "comparison",
                              .tflite = {{"EQUAL", from_tflite<equal>},
                                         {"NOT_EQUAL", from_tflite<not_equal>},
                                         {"LESS", from_tflite<less>},
                                         {"LESS_EQUAL", from_tflite<less_equal>},
                                         {"GREATER", from_tflite<greater>},
                                         {"GREATER_EQUAL", from_tflite<greater_equal>},
                                         {"LOGICAL_AND", from_tflite<logical_and>},
                                         {"LOGICAL_OR", from_tflite<logical_or>}},
                              .sample = sample};

}  // namespace mote::op
