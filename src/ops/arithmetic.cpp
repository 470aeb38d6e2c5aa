// SPDX-License-Identifier: Apache-2.0
// Arithmetic of two tensors: ADD, SUB, MUL, DIV and their like.
#include "nn/arithmetic.hpp"

#include <cmath>

#include "ops/binary.hpp"
#include "ops/linear_sum.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/arithmetic.hpp";

bool is_quantized(const TensorType& type) { return type.dtype == DType::i8 || type.dtype == DType::i16; }

// On reals and plain integers. A fused activation clamps integers to its bounds as they are.
template <class... T, class F>
Call plain_call(F value, const char* type, const BinaryUse& use) {
  const Function<F> function{value, type, header};
  return for_dtype<T...>(use.out.dtype, [&]<class Number>(Number) {
    if (use.activation == Activation::none) return map_2_call<Number, Number>(function, use.in, use.out);
    const FloatRange range = activation_range(use.activation);
    Number low, high;
    if constexpr (std::is_same_v<Number, float>) {
      low = range.low;
      high = range.high;
    } else {
      using Limits = std::numeric_limits<Number>;
      low = static_cast<Number>(range.low);
      high = use.activation == Activation::relu ? Limits::max() : static_cast<Number>(range.high);
    }
    return map_2_call<Number, Number>(clamped(function, low, high), use.in, use.out);
  });
}

// i16 is symmetric.
void require_zeros(const BinaryUse& use) {
  for (const TensorType* const type : {&use.a(), &use.b(), &use.out}) {
    require(type->dtype != DType::i16 || tensor_zero(*type, "tensor") == 0,
            "has zero point {} on a tensor of type i16, which takes 0; convert the model again",
            tensor_zero(*type, "tensor"));
  }
}

double scale_of(const TensorType& type, std::string_view what) {
  const auto scale = static_cast<double>(tensor_scale(type, what));
  require(scale > 0, "has a scale of {}; scales must be positive", scale);
  return scale;
}

// The multipliers to the common scale, which is twice the larger of the two, and from there to the output.
struct Multipliers {
  double a, b, out;
};

Multipliers common_scale(const BinaryUse& use, int headroom_bits) {
  const double a = scale_of(use.a(), "first input");
  const double b = scale_of(use.b(), "second input");
  const double common = 2 * std::max(a, b);  // twice, so that both multipliers stay below 1
  return {a / common, b / common, common / (std::exp2(headroom_bits) * scale_of(use.out, "output"))};
}

// The reference computes those of SUB in float.
Multipliers common_scale_in_float(const BinaryUse& use, int headroom_bits) {
  const auto a = static_cast<float>(scale_of(use.a(), "first input"));
  const auto b = static_cast<float>(scale_of(use.b(), "second input"));
  const auto out = static_cast<float>(scale_of(use.out, "output"));
  const float common = 2 * std::max(a, b);
  const auto wide = [](float value) { return static_cast<double>(value); };
  return {wide(a / common), wide(b / common), wide(common / (std::exp2(static_cast<float>(headroom_bits)) * out))};
}

// a + sign * b of bytes in three instructions instead of some twenty, where one sum of products gives what `exact`
// does.
template <class F>
std::optional<nn::LinearSum> as_linear_sum(const F& exact, double sign, const BinaryUse& use) {
  const double out = scale_of(use.out, "output");
  const double a = scale_of(use.a(), "first input") / out, b = sign * scale_of(use.b(), "second input") / out;
  return linear_sum({a, b, exact.zero - a * exact.zero_a - b * exact.zero_b + 0.5, exact.low, exact.high}, exact);
}

// Of `element` instructions each a copy saves `saved`; vectors are one function for all layers.
Estimate sum_estimate(const BinaryUse& use, double element, double saved, bool vectors) {
  const auto count = static_cast<double>(elements(use.out.shape));
  if (vectors) return {.instructions = 7 * count, .own_saves = 0};
  return {.instructions = element * count, .own_saves = saved * count, .own_bytes = 190, .shared_bytes = 400};
}

template <int headroom_bits, class T, class Combine>
Call common_scale_call(const char* combine, const Multipliers& multipliers, const BinaryUse& use) {
  require_zeros(use);
  const FixedMultiplier a = quantize_multiplier(multipliers.a);
  const FixedMultiplier b = quantize_multiplier(multipliers.b);
  const FixedMultiplier out = quantize_multiplier(multipliers.out);
  require(headroom_bits < 15 || out.shift <= 0,
          "has an output scale of {}, too small for its inputs; convert the model again",
          tensor_scale(use.out, "output"));
  const IntegerRange range = activation_range(use.activation, use.out);
  using F = nn::OnCommonScale<headroom_bits, Combine>;
  const F exact{tensor_zero(use.a(), "first input"),
                a.multiplier,
                a.shift,
                tensor_zero(use.b(), "second input"),
                b.multiplier,
                b.shift,
                tensor_zero(use.out, "output"),
                out.multiplier,
                out.shift,
                range.low,
                range.high};
  const bool vectors = use.core.mve && std::is_same_v<T, int8_t>;
  if constexpr (std::is_same_v<T, int8_t> && !std::is_same_v<Combine, nn::SquaredDifference>) {
    const double sign = std::is_same_v<Combine, nn::Difference> ? -1 : 1;
    if (const std::optional<nn::LinearSum> sum = as_linear_sum(exact, sign, use)) {
      Call call = map_2_call<T, T>(Function{*sum, "nn::LinearSum", header}, use.in, use.out);
      call.estimate = sum_estimate(use, 14, 3, vectors);
      return call;
    }
  }
  const Function<F> function{exact, fmt::format("nn::OnCommonScale<{}, {}>", headroom_bits, combine), header};
  Call call = map_2_call<T, T>(function, use.in, use.out);
  call.estimate = sum_estimate(use, 60, 25, vectors && std::is_same_v<Combine, nn::Sum>);
  return call;
}

Call add_call(const BinaryUse& use) {
  if (use.out.dtype == DType::i8)
    return common_scale_call<20, int8_t, nn::Sum>("nn::Sum", common_scale(use, 20), use);
  if (use.out.dtype == DType::i16)
    return common_scale_call<15, int16_t, nn::Sum>("nn::Sum", common_scale(use, 15), use);
  return plain_call<float, int32_t, int64_t>(nn::Sum(), "nn::Sum", use);
}

Call subtract_call(const BinaryUse& use) {
  const char* const difference = "nn::Difference";
  if (use.out.dtype == DType::i8)
    return common_scale_call<20, int8_t, nn::Difference>(difference, common_scale_in_float(use, 20), use);
  if (use.out.dtype == DType::i16)
    return common_scale_call<15, int16_t, nn::Difference>(difference, common_scale_in_float(use, 15), use);
  return plain_call<float, int32_t, int64_t>(nn::Difference(), difference, use);
}

Call squared_difference_call(const BinaryUse& use) {
  if (use.out.dtype != DType::i8)
    return plain_call<float, int32_t>(nn::SquaredDifference(), "nn::SquaredDifference", use);
  constexpr int headroom_bits = 7;
  Multipliers multipliers = common_scale(use, 2 * headroom_bits);
  multipliers.out *= 2 * std::max(scale_of(use.a(), "first input"), scale_of(use.b(), "second input"));
  return common_scale_call<headroom_bits, int8_t, nn::SquaredDifference>("nn::SquaredDifference", multipliers,
                                                                         use);
}

Call multiply_call(const BinaryUse& use) {
  if (!is_quantized(use.out)) return plain_call<float, int32_t, int64_t>(nn::Product(), "nn::Product", use);
  require_zeros(use);
  const FixedMultiplier fixed = quantize_multiplier(
      scale_of(use.a(), "first input") * scale_of(use.b(), "second input") / scale_of(use.out, "output"));
  const IntegerRange range = activation_range(use.activation, use.out);
  const nn::QuantizedProduct product{tensor_zero(use.a(), "first input"),
                                     tensor_zero(use.b(), "second input"),
                                     tensor_zero(use.out, "output"),
                                     fixed.multiplier,
                                     fixed.shift,
                                     range.low,
                                     range.high};
  if (use.out.dtype == DType::i16)
    return map_2_call<int16_t, int16_t>(Function{product, "nn::QuantizedProduct", header}, use.in, use.out);
  if (fixed.shift > -1 || fixed.shift < -21)
    return map_2_call<int8_t, int8_t>(Function{product, "nn::QuantizedProduct", header}, use.in, use.out);
  const nn::QuantizedProduct8 short_product{product.zero_a,  product.zero_b, product.zero, product.multiplier,
                                            1 - fixed.shift, product.low,    product.high};
  return map_2_call<int8_t, int8_t>(Function{short_product, "nn::QuantizedProduct8", header}, use.in, use.out);
}

// Integer division by a constant zero has no result.
Call quantized_divide_call(const BinaryUse& use) {
  require_zeros(use);
  const FixedMultiplier fixed = quantize_multiplier(
      scale_of(use.a(), "first input") / (scale_of(use.b(), "second input") * scale_of(use.out, "output")));
  require(fixed.shift <= 20, "has an output scale of {}, too small for its inputs; convert the model again",
          tensor_scale(use.out, "output"));
  const IntegerRange range = activation_range(use.activation, use.out);
  const nn::QuantizedQuotient quotient{tensor_zero(use.a(), "first input"),
                                       tensor_zero(use.b(), "second input"),
                                       tensor_zero(use.out, "output"),
                                       fixed.multiplier,
                                       fixed.shift,
                                       range.low,
                                       range.high};
  return map_2_call<int8_t, int8_t>(Function{quotient, "nn::QuantizedQuotient", header}, use.in, use.out);
}

Call divide_call(const BinaryUse& use) {
  if (use.out.dtype == DType::i8) return quantized_divide_call(use);
  require(use.out.dtype != DType::i32 || constant_number<int32_t>(use.in, 1) != 0,
          "divides by a constant 0; convert the model again");
  return plain_call<float, int32_t>(nn::Quotient(), "nn::Quotient", use);
}

// Quantised values are compared as they are, as the reference does.
template <class F>
Call choice_call(F value, const char* type, const BinaryUse& use) {
  return for_dtype<int8_t, uint8_t, int16_t, int32_t, int64_t, float>(use.out.dtype, [&]<class T>(T) {
    return map_2_call<T, T>(Function<F>{value, type, header}, use.in, use.out);
  });
}

long double floor_quotient(long double a, long double b) { return b == 0 ? 0 : std::floor(a / b); }

const std::vector<DType> numbers{DType::i8, DType::i16, DType::f32, DType::i32, DType::i64};
const std::vector<DType> choices{DType::i8, DType::u8, DType::i16, DType::f32, DType::i32, DType::i64};

std::optional<IntegerForm> own_scales(DType) { return IntegerForm{}; }
std::optional<IntegerForm> own_scales_of_bytes(DType dtype) {
  return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt;
}
std::optional<IntegerForm> shared_scale(DType) { return IntegerForm::shared(); }

const BinaryKind add{"add",    numbers, false,   [](long double a, long double b, bool) { return a + b; },
                     add_call, true,    nullptr, own_scales};
const BinaryKind subtract{
    "sub",         numbers, false,   [](long double a, long double b, bool) { return a - b; },
    subtract_call, true,    nullptr, own_scales};
const BinaryKind multiply{
    "mul",         numbers, false,   [](long double a, long double b, bool) { return a * b; },
    multiply_call, true,    nullptr, own_scales};
const BinaryKind divide{
    "div",
    {DType::f32, DType::i32, DType::i8},
    false,
    [](long double a, long double b, bool whole) { return whole ? (b == 0 ? 0 : std::trunc(a / b)) : a / b; },
    divide_call,
    true};
const BinaryKind maximum{"maximum",
                         choices,
                         false,
                         [](long double a, long double b, bool) { return std::max(a, b); },
                         [](const BinaryUse& use) { return choice_call(nn::Maximum(), "nn::Maximum", use); },
                         false,
                         nullptr,
                         shared_scale};
const BinaryKind minimum{"minimum",
                         choices,
                         false,
                         [](long double a, long double b, bool) { return std::min(a, b); },
                         [](const BinaryUse& use) { return choice_call(nn::Minimum(), "nn::Minimum", use); },
                         false,
                         nullptr,
                         shared_scale};
const BinaryKind squared_difference{"squared_difference",
                                    {DType::i8, DType::f32, DType::i32},
                                    false,
                                    [](long double a, long double b, bool) { return (a - b) * (a - b); },
                                    squared_difference_call,
                                    false,
                                    nullptr,
                                    own_scales_of_bytes};
const BinaryKind floor_div{
    "floor_div",
    {DType::i8, DType::i16, DType::f32, DType::i32},
    false,
    [](long double a, long double b, bool whole) { return whole ? floor_quotient(a, b) : std::floor(a / b); },
    [](const BinaryUse& use) {
      return plain_call<int8_t, int16_t, int32_t, float>(nn::FloorQuotient(), "nn::FloorQuotient", use);
    }};
const BinaryKind floor_mod{
    "floor_mod",
    {DType::i8, DType::i16, DType::f32, DType::i32},
    false,
    [](long double a, long double b, bool) { return b == 0 ? 0 : a - b * std::floor(a / b); },
    [](const BinaryUse& use) {
      return plain_call<int8_t, int16_t, int32_t, float>(nn::FloorModulo(), "nn::FloorModulo", use);
    }};
const BinaryKind power{"pow",
                       {DType::f32},
                       false,
                       [](long double a, long double b, bool) { return std::pow(a, b); },
                       [](const BinaryUse& use) { return plain_call<float>(nn::Power(), "nn::Power", use); }};

const BinaryKind atan2{"atan2",
                       {DType::f32},
                       false,
                       [](long double a, long double b, bool) { return std::atan2(a, b); },
                       [](const BinaryUse& use) { return plain_call<float>(nn::Atan2(), "nn::Atan2", use); }};

template <class F>
Call bits_call(const char* type, const BinaryUse& use) {
  return for_dtype<int8_t, uint8_t, int16_t, int32_t>(use.out.dtype, [&]<class T>(T) {
    return map_2_call<T, T>(Function<F>{{}, type, header}, use.in, use.out);
  });
}

const BinaryKind bitwise_xor{
    "bitwise_xor",
    {DType::i8, DType::u8, DType::i16, DType::i32},
    false,
    [](long double a, long double b, bool) -> long double {
      return static_cast<long double>(static_cast<int64_t>(a) ^ static_cast<int64_t>(b));
    },
    [](const BinaryUse& use) { return bits_call<nn::ExclusiveOr>("nn::ExclusiveOr", use); }};
const BinaryKind right_shift{
    "right_shift",
    {DType::i8, DType::i16, DType::i32},
    false,
    [](long double a, long double b, bool) {
      return std::floor(std::ldexp(a, -std::clamp(static_cast<int>(b), 0, 31)));
    },
    [](const BinaryUse& use) { return bits_call<nn::RightShift>("nn::RightShift", use); }};

template <const BinaryKind& kind, class Options>
Made from_tflite(const tflite::OpView& view) {
  return {std::make_shared<Binary>(kind, fused_activation<Options>(view)), {0, 1}};
}

template <const BinaryKind& kind>
Made from_tflite(const tflite::OpView&) {
  return {std::make_shared<Binary>(kind, Activation::none), {0, 1}};
}

template <class T>
void fill_constant(Tensor& tensor, std::mt19937& random, int64_t low, int64_t high) {
  std::vector<T> values(static_cast<size_t>(elements(tensor.type.shape)));
  for (T& value : values) value = static_cast<T>(random_integer(random, low, high));
  tensor.data = to_bytes(values);
}

// Powers of what noise gives are wild: a small whole exponent, or a base near 1.
Sample power_sample(std::mt19937& random) {
  RandomOperands operands = random_operands(random, DType::f32);
  operands.in[0]->data.clear();
  operands.in[1]->data.clear();
  if (chance(random, 50)) {
    fill_constant<float>(*operands.in[1], random, -2, 3);
  } else {
    fill_constant<float>(*operands.in[0], random, 1, 3);
  }
  return {
      std::make_shared<Binary>(power, Activation::none), operands.in, {{DType::f32, operands.shape, {}}}, 2e-5};
}

Sample sample_of(const BinaryKind& kind, std::mt19937& random) {
  const DType dtype = kind.dtypes[static_cast<size_t>(random_integer(random, 0, std::ssize(kind.dtypes) - 1))];
  RandomOperands operands = random_operands(random, dtype);
  TensorType out = random_type(random, dtype, operands.shape);
  const bool moves = &kind == &maximum || &kind == &minimum;
  const bool plain = &kind == &floor_div || &kind == &floor_mod || &kind == &bitwise_xor || &kind == &right_shift;
  if (!is_quantized(out) || plain) {
    out.quant = operands.in[0]->type.quant = operands.in[1]->type.quant = {};
  } else if (moves) {
    operands.in[0]->type.quant = operands.in[1]->type.quant = out.quant;
  } else if (&kind == &squared_difference) {
    out.quant.scale = {random_real(random, 0.25F, 1.0F)};  // finer ones show the rounding of the difference
  }
  if (&kind == &multiply && is_quantized(out)) {  // a product that is shifted to the left may wrap
    const float most = operands.in[0]->type.quant.scale[0] * operands.in[1]->type.quant.scale[0];
    out.quant.scale = {std::max(out.quant.scale[0], most)};
  }
  double tolerance = dtype == DType::f32 ? 1e-5 : is_quantized(out) && !moves ? 0.77 : 0;
  if (&kind == &squared_difference && is_quantized(out)) tolerance = 2;
  if (dtype == DType::i64) {  // the reference's doubles hold 53 bits
    tolerance = 1 << 16;
    if (&kind == &multiply) fill_constant<int64_t>(*operands.in[1], random, -8, 8);
  }
  if (&kind == &divide && dtype == DType::i8) {  // mathematics has no quotient by zero
    operands.in[0]->data.clear();
    operands.in[1]->type.quant.zero = {chance(random, 50) ? 127 : -50};
    const bool above = operands.in[1]->type.quant.zero[0] < 0;
    fill_constant<int8_t>(*operands.in[1], random, above ? -49 : -128, above ? 127 : 126);
  }
  if (operands.in[1]->constant() && &kind == &divide && dtype == DType::i32)
    fill_constant<int32_t>(*operands.in[1], random, 1, 100);
  const auto activation =
      static_cast<Activation>(kind.takes_activation && chance(random, 40) ? random_integer(random, 1, 3) : 0);
  return {std::make_shared<Binary>(kind, activation), operands.in, {out}, tolerance};
}

Sample sample(std::mt19937& random) {
  const BinaryKind* const kinds[] = {&add,       &add,     &subtract,    &multiply,           &multiply,
                                     &divide,    &maximum, &minimum,     &squared_difference, &floor_div,
                                     &floor_mod, &atan2,   &bitwise_xor, &right_shift};
  if (chance(random, 5)) return power_sample(random);
  return sample_of(*kinds[random_integer(random, 0, std::ssize(kinds) - 1)], random);
}

}  // namespace

extern const OpDef arithmetic{.name = "arithmetic",
                              .tflite = {{"ADD", from_tflite<add, tflite::schema::AddOptions>},
                                         {"SUB", from_tflite<subtract, tflite::schema::SubOptions>},
                                         {"MUL", from_tflite<multiply, tflite::schema::MulOptions>},
                                         {"DIV", from_tflite<divide, tflite::schema::DivOptions>},
                                         {"MAXIMUM", from_tflite<maximum>},
                                         {"MINIMUM", from_tflite<minimum>},
                                         {"SQUARED_DIFFERENCE", from_tflite<squared_difference>},
                                         {"FLOOR_DIV", from_tflite<floor_div>},
                                         {"FLOOR_MOD", from_tflite<floor_mod>},
                                         {"POW", from_tflite<power>},
                                         {"ATAN2", from_tflite<atan2>},
                                         {"BITWISE_XOR", from_tflite<bitwise_xor>},
                                         {"RIGHT_SHIFT", from_tflite<right_shift>}},
                              .sample = sample};

}  // namespace mote::op
