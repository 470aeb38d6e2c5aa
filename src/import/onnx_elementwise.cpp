// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of ONNX: they take any layout that their inputs share.
#include <algorithm>
#include <cmath>

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

// TFLite fixes the output quantisation of these; another one is reached by a requantisation.
std::optional<Quantization> fixed_quantization(std::string_view op) {
  if (op == "LOGISTIC") return Quantization{{1.0F / 256}, {-128}, -1};
  if (op == "TANH") return Quantization{{1.0F / 128}, {0}, -1};
  return std::nullopt;
}

template <class Options>
void unary_with(Translator& t, std::string_view op, const Options& options) {
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  TensorType type = mode.type;
  const std::optional<Quantization> fixed = mode.integer() ? fixed_quantization(op) : std::nullopt;
  if (fixed) type.quant = *fixed;
  TensorId id = add_with(t.builder(), op, options, {value.id}, type);
  if (fixed && *fixed != mode.type.quant) id = t.builder().add("QUANTIZE", {id}, {mode.type})[0];
  t.give_mode(mode, id, value.layout);
}

// Operators without options, by their TFLite names.
constexpr std::pair<std::string_view, std::string_view> unary_names[] = {
    {"Abs", "ABS"},   {"Ceil", "CEIL"},   {"Cos", "COS"},
    {"Exp", "EXP"},   {"Floor", "FLOOR"}, {"HardSwish", "HARD_SWISH"},
    {"Log", "LOG"},   {"Neg", "NEG"},     {"Not", "LOGICAL_NOT"},
    {"Relu", "RELU"}, {"Round", "ROUND"}, {"Sigmoid", "LOGISTIC"},
    {"Sign", "SIGN"}, {"Sin", "SIN"},     {"Sqrt", "SQRT"},
    {"Tanh", "TANH"},
};

void unary(Translator& t) {
  const auto* const found = std::find_if(std::begin(unary_names), std::end(unary_names),
                                         [&](const auto& name) { return name.first == t.node().op; });
  unary_with(t, found->second, NoOptions{});
}

void leaky_relu(Translator& t) {
  tfl::LeakyReluOptionsT options;
  options.alpha = t.node().real("alpha", 0.01F);
  unary_with(t, "LEAKY_RELU", options);
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

template <class Options>
void arithmetic(Translator& t, std::string_view op) {
  require(t.count() == 2, "has {} inputs, it takes 2", t.count());
  Value a = t.in(0), b = t.in(1);
  const Mode mode = t.mode({&a, &b}, true);
  Options options;
  options.fused_activation_function = mode.activation;
  binary_with(t, op, options, mode, a, b, std::nullopt);
}

void add(Translator& t) { arithmetic<tfl::AddOptionsT>(t, "ADD"); }
void subtract(Translator& t) { arithmetic<tfl::SubOptionsT>(t, "SUB"); }
void multiply(Translator& t) { arithmetic<tfl::MulOptionsT>(t, "MUL"); }
// Index arithmetic divides 64-bit integers, which no kernel does: one number by another, while compiling.
void divide(Translator& t) {
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
  const Value a = t.plain(0), b = t.plain(1);
  Mode mode;
  mode.type.dtype = t.builder().tensor(a.id).type.dtype;
  binary_with(t, op, NoOptions{}, mode, a, b, result);
}

void power(Translator& t) { plain_binary(t, "POW"); }
void equal(Translator& t) { plain_binary(t, "EQUAL", DType::boolean); }
void greater(Translator& t) { plain_binary(t, "GREATER", DType::boolean); }
void less(Translator& t) { plain_binary(t, "LESS", DType::boolean); }
void greater_equal(Translator& t) { plain_binary(t, "GREATER_EQUAL", DType::boolean); }
void less_equal(Translator& t) { plain_binary(t, "LESS_EQUAL", DType::boolean); }
void logical_and(Translator& t) { plain_binary(t, "LOGICAL_AND"); }
void logical_or(Translator& t) { plain_binary(t, "LOGICAL_OR"); }
void logical_xor(Translator& t) { plain_binary(t, "NOT_EQUAL"); }

void modulo(Translator& t) {
  require(t.node().integer("fmod", 0) == 0, "computes the C library's fmod, which is not supported; use fmod=0");
  plain_binary(t, "FLOOR_MOD");
}

// Any number of operands, one after the other.
template <class Options>
Value folded(Translator& t, std::string_view op) {
  Value sum = t.plain(0);
  for (size_t i = 1; i < t.count(); ++i) {
    Broadcast operands = broadcast(t.builder(), {sum, t.plain(i)});
    const TensorType type{t.builder().tensor(sum.id).type.dtype, {}, {}};
    sum = {t.builder().add(op, Options{}, operands.ids, {type})[0], std::move(operands.layout)};
  }
  return sum;
}

void maximum(Translator& t) { t.give(0, folded<tfl::MaximumMinimumOptionsT>(t, "MAXIMUM")); }
void minimum(Translator& t) { t.give(0, folded<tfl::MaximumMinimumOptionsT>(t, "MINIMUM")); }
void sum(Translator& t) { t.give(0, folded<tfl::AddOptionsT>(t, "ADD")); }

void mean(Translator& t) {
  FloatMath math(t.builder());
  t.give(0, math.multiply(folded<tfl::AddOptionsT>(t, "ADD"), 1.0F / static_cast<float>(t.count())));
}

void clip(Translator& t) {
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  for (size_t input = 1; input <= 2; ++input) {
    if (!t.has(input)) continue;
    Value limit = t.plain(input);
    if (mode.integer()) {
      require(t.builder().constant(limit), "clips quantised values to a limit that is computed at run time");
      const float real = t.real(input, "limit") / value_scale(t.builder(), value);
      const auto code = std::lround(real) + t.builder().tensor(value.id).type.quant.zero[0];
      const auto stored = static_cast<int8_t>(std::clamp<int64_t>(code, -128, 127));
      limit.id = t.builder().add_tensor("limit", {DType::i8, {}, t.builder().tensor(value.id).type.quant},
                                        to_bytes(std::vector<int8_t>{stored}));
    }
    Broadcast operands = broadcast(t.builder(), {value, limit});
    const TensorType type{mode.type.dtype, {}, t.builder().tensor(value.id).type.quant};
    value.id = t.builder().add(input == 1 ? "MAXIMUM" : "MINIMUM", tfl::MaximumMinimumOptionsT{}, operands.ids,
                               {type})[0];
    value.layout = std::move(operands.layout);
  }
  if (mode.integer() && t.builder().tensor(value.id).type.quant != mode.type.quant) {
    value.id = t.builder().add("QUANTIZE", {value.id}, {mode.type})[0];
  }
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

void identity_of(Translator& t) { t.give(0, t.in(0)); }

void dropout(Translator& t) {
  t.node().ignore("seed");
  t.node().ignore("ratio");
  require(!t.has(2) || !t.constant(2) || t.tensor(2).data.at(0) == std::byte{0},
          "is in training mode; export the model for inference (model.eval())");
  require(!t.wanted(1), "gives its mask, which is not supported");
  t.give(0, t.in(0));
}

void cast(Translator& t) {
  const Value value = t.plain(0);
  const DType to = dtype_of_attribute(t.node().integer("to"));
  t.node().ignore("saturate");  // about float8 only
  if (t.builder().tensor(value.id).type.dtype == to) return t.give(0, value);
  const TensorId id = t.builder().add("CAST", tfl::CastOptionsT{}, {value.id}, {{to, {}, {}}})[0];
  t.give(0, {id, value.layout});
}

void cast_like(Translator& t) {
  const Value value = t.plain(0);
  const DType to = t.tensor(1).type.dtype;
  if (t.builder().tensor(value.id).type.dtype == to) return t.give(0, value);
  t.give(0, {t.builder().add("CAST", tfl::CastOptionsT{}, {value.id}, {{to, {}, {}}})[0], value.layout});
}

void gelu(Translator& t) {
  tfl::GeluOptionsT options;
  options.approximate = t.node().text("approximate", "none") == "tanh";
  unary_with(t, "GELU", options);
}

void is_nan(Translator& t) {
  const Value value = t.plain(0);
  const TensorId id = t.builder().add("NOT_EQUAL", {value.id, value.id}, {{DType::boolean, {}, {}}})[0];
  t.give(0, {id, value.layout});
}

constexpr Translation table[] = {
    {"Abs", unary},
    {"Add", add},
    {"And", logical_and},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", unary},
    {"Clip", clip},
    {"Cos", unary},
    {"Div", divide},
    {"Dropout", dropout},
    {"Equal", equal},
    {"Exp", unary},
    {"Floor", unary},
    {"Gelu", gelu},
    {"Greater", greater},
    {"GreaterOrEqual", greater_equal},
    {"HardSwish", unary},
    {"Identity", identity_of},
    {"IsNaN", is_nan},
    {"LeakyRelu", leaky_relu},
    {"Less", less},
    {"LessOrEqual", less_equal},
    {"Log", unary},
    {"Max", maximum},
    {"Mean", mean},
    {"Min", minimum},
    {"Mod", modulo},
    {"Mul", multiply},
    {"Neg", unary},
    {"Not", unary},
    {"Or", logical_or},
    {"PRelu", prelu},
    {"Pow", power},
    {"Relu", unary},
    {"Round", unary},
    {"Sigmoid", unary},
    {"Sign", unary},
    {"Sin", unary},
    {"Sqrt", unary},
    {"Sub", subtract},
    {"Sum", sum},
    {"Tanh", unary},
    {"Where", where},
    {"Xor", logical_xor},
};

}  // namespace

std::span<const Translation> elementwise_translations() { return table; }

}  // namespace mote::onnx
