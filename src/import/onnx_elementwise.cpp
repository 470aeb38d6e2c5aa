// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of ONNX with several operands: they take any layout that these share.
#include <algorithm>
#include <cmath>
#include <functional>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

struct NoOptions {};

template <class Options>
TensorId add_with(Builder& builder, std::string_view op, const Options& options, const std::vector<TensorId>& in,
                  const TensorType& type) {
  if constexpr (std::is_same_v<Options, NoOptions>) {
    return builder.add(op, in, {type})[0];
  } else {
    return builder.add(op, options, in, {type})[0];
  }
}

template <class Options>
void binary_with(Translator& t, std::string_view op, const Options& options, const Mode& mode, const Value& a,
                 const Value& b, std::optional<DType> result) {
  Broadcast operands = broadcast(t.builder(), {a, b});
  TensorType type = mode.type;
  if (result) type.dtype = *result;
  const TensorId id = add_with(t.builder(), op, options, operands.ids, type);
  t.give_mode(mode, id, std::move(operands.layout));
}

// Integers of 8 and 16 bits that stand for themselves are computed as int32: the cast back keeps the low bits.
bool is_small_integer(const TensorType& type) {
  const DType dtype = type.dtype;
  const bool small = dtype == DType::i8 || dtype == DType::u8 || dtype == DType::i16 || dtype == DType::u16;
  return small && type.quant.empty();
}

Value converted(Builder& builder, const Value& value, DType dtype) {
  if (builder.tensor(value.id).type.dtype == dtype) return value;
  return {builder.add("CAST", tfl::CastOptionsT{}, {value.id}, {{dtype, {}, {}}})[0], value.layout};
}

// The type that small integers are computed in, and back from it.
Value widened(Builder& builder, const Value& value) {
  return is_small_integer(builder.tensor(value.id).type) ? converted(builder, value, DType::i32) : value;
}

void convert_output(Translator& t, DType dtype) {
  const Value* const made = t.value(t.output_name(0));
  if (made != nullptr) t.give(0, converted(t.builder(), *made, dtype));
}

std::optional<float> constant_number(const Translator& t, const std::string& name) {
  const Value* const value = t.value(name);
  if (value == nullptr || value->meaning == Value::Meaning::codes || !t.builder().constant(*value))
    return std::nullopt;
  const Tensor& tensor = t.builder().tensor(t.builder().dequantised(*value).id);
  if (tensor.type.dtype != DType::f32 || elements(tensor.type.shape) != 1) return std::nullopt;
  return to_values<float>(tensor.data)[0];
}

// The operand of a node of two inputs that is not `known`; empty when there is no such.
std::string other_operand(const Node& node, const std::string& known) {
  if (node.inputs.size() != 2) return "";
  if (node.inputs[0] == known) return node.inputs[1];
  return node.inputs[1] == known ? node.inputs[0] : "";
}

// x (1 + erf(x / sqrt 2)) / 2, as exporters write the exact GELU: Div or Mul, Erf, Add and two Mul become one
// operator.
bool take_gelu(Translator& t) {
  const std::vector<const Node*> chain = t.followers(4);
  static constexpr std::string_view ops[] = {"Erf", "Add", "Mul", "Mul"};
  const auto same = [](const Node* node, std::string_view op) { return node->op == op && node->domain.empty(); };
  if (t.count() != 2 || !std::equal(chain.begin(), chain.end(), std::begin(ops), std::end(ops), same))
    return false;
  const auto is = [&](const std::string& name, double wanted) {
    const std::optional<float> number = constant_number(t, name);
    return number && std::abs(static_cast<double>(*number) - wanted) < 1e-5;
  };
  const std::string x = t.node().inputs[0];
  if (!is(t.node().inputs[1], t.node().op == "Div" ? std::sqrt(2.0) : std::sqrt(0.5))) return false;
  if (!is(other_operand(*chain[1], chain[0]->outputs[0]), 1.0)) return false;
  const std::string first = other_operand(*chain[2], chain[1]->outputs[0]);
  const std::string second = other_operand(*chain[3], chain[2]->outputs[0]);
  if (!(first == x && is(second, 0.5)) && !(second == x && is(first, 0.5))) return false;
  for (size_t i = 0; i < chain.size(); ++i) t.take_follower();
  elementwise(t, [&](const Value& value) {
    const TensorType type{t.builder().tensor(value.id).type.dtype, {}, {}};
    return Value{t.builder().add("GELU", tfl::GeluOptionsT{}, {value.id}, {type})[0], value.layout};
  });
  return true;
}

template <class Options>
void arithmetic(Translator& t, std::string_view op) {
  require(t.count() == 2, "has {} inputs, it takes 2", t.count());
  Value a = t.in(0), b = t.in(1);
  Mode mode = t.mode({&a, &b}, true);
  const DType dtype = mode.type.dtype;
  if (!mode.integer()) a = widened(t.builder(), a), b = widened(t.builder(), b);
  if (!mode.integer()) mode.type.dtype = t.builder().tensor(a.id).type.dtype;
  Options options;
  options.fused_activation_function = mode.activation;
  binary_with(t, op, options, mode, a, b, std::nullopt);
  if (mode.type.dtype != dtype) convert_output(t, dtype);
}

void add(Translator& t) { arithmetic<tfl::AddOptionsT>(t, "ADD"); }
void subtract(Translator& t) { arithmetic<tfl::SubOptionsT>(t, "SUB"); }

void multiply(Translator& t) {
  if (!take_gelu(t)) arithmetic<tfl::MulOptionsT>(t, "MUL");
}

// Index arithmetic divides 64-bit integers, which no kernel does: one number by another, while compiling.
void divide(Translator& t) {
  if (take_gelu(t)) return;
  const bool index = t.count() == 2 && t.constant(0) && t.constant(1) && t.tensor(0).type.dtype == DType::i64;
  if (!index || elements(t.shape(0)) != 1 || elements(t.shape(1)) != 1)
    return arithmetic<tfl::DivOptionsT>(t, "DIV");
  const int64_t a = t.integers(0, "dividend").at(0), b = t.integers(1, "divisor").at(0);
  require(b != 0 && b != -1, "divides the index {} by {}", a, b);
  t.give(0, t.builder().constant_value(t.shape(0), {a / b}));
}

// Both operands plain; the result has data type `result`, or theirs.
void plain_binary(Translator& t, std::string_view op, std::optional<DType> result = std::nullopt) {
  require(t.count() == 2, "has {} inputs, it takes 2", t.count());
  const DType dtype = t.builder().tensor(t.plain(0).id).type.dtype;
  const Value a = widened(t.builder(), t.plain(0)), b = widened(t.builder(), t.plain(1));
  Mode mode;
  mode.type.dtype = t.builder().tensor(a.id).type.dtype;
  binary_with(t, op, NoOptions{}, mode, a, b, result);
  if (!result) convert_output(t, dtype);
}

// By products, which are exact.
void integer_power(Translator& t, const Value& base) {
  const Value exponent = t.plain(1);
  require(
      t.builder().constant(exponent) && elements(exponent.shape()) == 1,
      "raises integers to powers that differ by element or are computed at run time, which is not supported; cast "
      "the base to float");
  const DType dtype = t.builder().tensor(exponent.id).type.dtype;
  const double number = dtype == DType::f32 ? static_cast<double>(t.reals(1, "exponent")[0])
                                            : static_cast<double>(t.integers(1, "exponent").at(0));
  require(number >= 1 && number <= 16 && number == std::floor(number),
          "raises integers to the power {}; whole powers from 1 to 16 are supported", number);
  const DType own = t.builder().tensor(base.id).type.dtype;
  const Value factor = widened(t.builder(), base);
  const TensorType type{t.builder().tensor(factor.id).type.dtype, {}, {}};
  Value product = factor;
  for (int i = 1; i < static_cast<int>(number); ++i)
    product.id = t.builder().add("MUL", tfl::MulOptionsT{}, {product.id, factor.id}, {type})[0];
  t.give(0, converted(t.builder(), product, own));
}

// Whole and half powers by what they are; an exponent of another type becomes the base's where that is float.
void power(Translator& t) {
  FloatMath math(t.builder());
  const Value base = t.plain(0);
  require(t.count() == 2, "has {} inputs, it takes 2", t.count());
  if (t.builder().tensor(base.id).type.dtype != DType::f32) return integer_power(t, base);
  const Value exponent = converted(t.builder(), t.plain(1), DType::f32);
  if (t.builder().constant(exponent) && elements(exponent.shape()) == 1 &&
      exponent.shape().size() <= base.shape().size()) {
    const float number = to_values<float>(t.builder().tensor(exponent.id).data)[0];
    if (number == 1.0F) return t.give(0, base);
    if (number == 2.0F) return t.give(0, math.multiply(base, base));
    if (number == 3.0F) return t.give(0, math.multiply(math.multiply(base, base), base));
    if (number == 0.5F) return t.give(0, math.unary("SQRT", base));
    if (number == -0.5F) return t.give(0, math.unary("RSQRT", base));
  }
  Broadcast operands = broadcast(t.builder(), {base, exponent});
  t.give(0, {t.builder().add("POW", operands.ids, {{DType::f32, {}, {}}})[0], std::move(operands.layout)});
}
void equal(Translator& t) { plain_binary(t, "EQUAL", DType::boolean); }
void greater(Translator& t) { plain_binary(t, "GREATER", DType::boolean); }
void less(Translator& t) { plain_binary(t, "LESS", DType::boolean); }
void greater_equal(Translator& t) { plain_binary(t, "GREATER_EQUAL", DType::boolean); }
void less_equal(Translator& t) { plain_binary(t, "LESS_EQUAL", DType::boolean); }
void logical_and(Translator& t) { plain_binary(t, "LOGICAL_AND"); }
void logical_or(Translator& t) { plain_binary(t, "LOGICAL_OR"); }
void logical_xor(Translator& t) { plain_binary(t, "NOT_EQUAL"); }

// The C library's fmod: that of the magnitudes, with the dividend's sign.
void c_modulo(Translator& t) {
  Builder& builder = t.builder();
  const Value a = widened(builder, t.plain(0)), b = widened(builder, t.plain(1));
  const DType own = builder.tensor(t.plain(0).id).type.dtype, dtype = builder.tensor(a.id).type.dtype;
  const auto magnitude = [&](const Value& value) {
    return Value{builder.add("ABS", {value.id}, {{dtype, {}, {}}})[0], value.layout};
  };
  Broadcast operands = broadcast(builder, {magnitude(a), magnitude(b)});
  const Value rest{builder.add("FLOOR_MOD", operands.ids, {{dtype, {}, {}}})[0], std::move(operands.layout)};
  const Value negative{builder.add("NEG", {rest.id}, {{dtype, {}, {}}})[0], rest.layout};
  const Value zero{builder.add_tensor("zero", {dtype, {}, {}}, Bytes(static_cast<size_t>(bits(dtype) / 8))),
                   Layout{}};
  Broadcast sides = broadcast(builder, {a, zero});
  const Value below{builder.add("LESS", sides.ids, {{DType::boolean, {}, {}}})[0], std::move(sides.layout)};
  Broadcast choice = broadcast(builder, {below, negative, rest});
  const Value result{builder.add("SELECT_V2", choice.ids, {{dtype, {}, {}}})[0], std::move(choice.layout)};
  t.give(0, converted(builder, result, own));
}

// Of 64-bit integers while compiling only, as division.
void modulo(Translator& t) {
  if (t.count() == 2 && t.constant(0) && t.constant(1) && t.tensor(0).type.dtype == DType::i64 &&
      elements(t.shape(0)) == 1 && elements(t.shape(1)) == 1) {
    const int64_t a = t.integers(0, "dividend").at(0), b = t.integers(1, "divisor").at(0);
    require(b > 0 && t.node().integer("fmod", 0) == 0, "takes the index {} modulo {}", a, b);
    return t.give(0, t.builder().constant_value(t.shape(0), {(a % b + b) % b}));
  }
  if (t.node().integer("fmod", 0) == 0) return plain_binary(t, "FLOOR_MOD");
  c_modulo(t);
}

// Any number of operands, one after the other.
template <class Options>
Value folded(Translator& t, std::string_view op) {
  const DType dtype = t.builder().tensor(t.plain(0).id).type.dtype;
  Value sum = widened(t.builder(), t.plain(0));
  for (size_t i = 1; i < t.count(); ++i) {
    Broadcast operands = broadcast(t.builder(), {sum, widened(t.builder(), t.plain(i))});
    const TensorType type{t.builder().tensor(sum.id).type.dtype, {}, {}};
    sum = {t.builder().add(op, Options{}, operands.ids, {type})[0], std::move(operands.layout)};
  }
  return converted(t.builder(), sum, dtype);
}

void maximum(Translator& t) { t.give(0, folded<tfl::MaximumMinimumOptionsT>(t, "MAXIMUM")); }
void minimum(Translator& t) { t.give(0, folded<tfl::MaximumMinimumOptionsT>(t, "MINIMUM")); }
void sum(Translator& t) { t.give(0, folded<tfl::AddOptionsT>(t, "ADD")); }

void mean(Translator& t) {
  FloatMath math(t.builder());
  t.give(0, math.multiply(folded<tfl::AddOptionsT>(t, "ADD"), 1.0F / static_cast<float>(t.count())));
}

// The limit as a code of the value's quantisation.
Value quantised_limit(Translator& t, size_t input, const Value& value) {
  const Quantization quant = t.builder().tensor(value.id).type.quant;
  const float real = std::clamp(t.real(input, "limit") / value_scale(t.builder(), value), -512.0F, 512.0F);
  const auto stored = static_cast<int8_t>(std::clamp<int64_t>(std::lround(real) + quant.zero[0], -128, 127));
  return {t.builder().add_tensor("limit", {DType::i8, {}, quant}, to_bytes(std::vector<int8_t>{stored})),
          Layout{}};
}

// Each limit that is there, lower and upper one, with MAXIMUM and MINIMUM.
Value clipped(Translator& t, Value value, const std::function<Value(size_t)>& limit) {
  for (size_t input = 1; input <= 2; ++input) {
    if (!t.has(input)) continue;
    Broadcast operands = broadcast(t.builder(), {value, limit(input)});
    const TensorType& from = t.builder().tensor(value.id).type;
    const TensorType type{from.dtype, {}, from.quant};
    value.id = t.builder().add(input == 1 ? "MAXIMUM" : "MINIMUM", tfl::MaximumMinimumOptionsT{}, operands.ids,
                               {type})[0];
    value.layout = std::move(operands.layout);
  }
  return value;
}

// In integers without a change of scale the limits are codes, else the clipped numbers are rounded to the new
// scale.
void clip(Translator& t) {
  const auto number = [&](size_t input) { return widened(t.builder(), t.plain(input)); };
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  if (!mode.integer()) {
    return t.give(0, converted(t.builder(), clipped(t, widened(t.builder(), value), number), mode.type.dtype));
  }
  for (size_t input = 1; input <= 2; ++input) {
    if (!t.has(input)) continue;
    require(t.constant(input), "clips quantised values to a limit that is computed at run time");
    require(!std::isnan(t.real(input, "limit")), "clips to a limit that is no number; export the model again");
  }
  if (t.builder().tensor(value.id).type.quant != mode.type.quant) {
    return tabulate(t, mode, value, [&](const Value& x) { return clipped(t, x, number); });
  }
  value = clipped(t, value, [&](size_t input) { return quantised_limit(t, input, value); });
  t.give_mode(mode, value.id, value.layout);
}

// max(x, 0) + slope * min(x, 0)
void prelu(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0), zero = math.number(0.0F);
  t.give(0, math.add(math.maximum(x, zero), math.multiply(math.minimum(x, zero), t.plain(1))));
}

void where(Translator& t) {
  const Value yes = t.plain(1);
  Broadcast operands = broadcast(t.builder(), {t.in(0), yes, t.plain(2)});
  const TensorType type{t.builder().tensor(yes.id).type.dtype, {}, {}};
  const TensorId id = t.builder().add("SELECT_V2", operands.ids, {type})[0];
  t.give(0, {id, std::move(operands.layout)});
}

constexpr Translation table[] = {
    {"Add", add},
    {"And", logical_and},
    {"Clip", clip},
    {"Div", divide},
    {"Equal", equal},
    {"Greater", greater},
    {"GreaterOrEqual", greater_equal},
    {"Less", less},
    {"LessOrEqual", less_equal},
    {"Max", maximum},
    {"Mean", mean},
    {"Min", minimum},
    {"Mod", modulo},
    {"Mul", multiply},
    {"Or", logical_or},
    {"PRelu", prelu},
    {"Pow", power},
    {"Sub", subtract},
    {"Sum", sum},
    {"Where", where},
    {"Xor", logical_xor},
};

}  // namespace

std::span<const Translation> elementwise_translations() { return table; }

}  // namespace mote::onnx
