// SPDX-License-Identifier: Apache-2.0
// Element-wise operators of ONNX with one operand, in whatever layout it has.
#include <algorithm>
#include <limits>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

TensorType type_like(Translator& t, const Value& x) { return {t.builder().tensor(x.id).type.dtype, {}, {}}; }

// ReLU in integers as TFLite computes it, with a clamp where no scale changes.
void relu(Translator& t) {
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  t.give_mode(mode, t.builder().add("RELU", {value.id}, {mode.type})[0], value.layout);
}

// Operators without options, by their TFLite names.
constexpr std::pair<std::string_view, std::string_view> unary_names[] = {
    {"Abs", "ABS"},     {"Ceil", "CEIL"},        {"Cos", "COS"},
    {"Exp", "EXP"},     {"Floor", "FLOOR"},      {"HardSwish", "HARD_SWISH"},
    {"Log", "LOG"},     {"Neg", "NEG"},          {"Not", "LOGICAL_NOT"},
    {"Round", "ROUND"}, {"Sigmoid", "LOGISTIC"}, {"Sign", "SIGN"},
    {"Sin", "SIN"},     {"Sqrt", "SQRT"},        {"Tanh", "TANH"},
};

void unary(Translator& t) {
  const auto* const found = std::find_if(std::begin(unary_names), std::end(unary_names),
                                         [&](const auto& name) { return name.first == t.node().op; });
  elementwise(t, [&](const Value& x) {
    return Value{t.builder().add(found->second, {x.id}, {type_like(t, x)})[0], x.layout};
  });
}

void leaky_relu(Translator& t) {
  tfl::LeakyReluOptionsT options;
  options.alpha = t.node().real("alpha", 0.01F);
  elementwise(t, [&](const Value& x) {
    return Value{t.builder().add("LEAKY_RELU", options, {x.id}, {type_like(t, x)})[0], x.layout};
  });
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

void is_infinite(Translator& t) {
  FloatMath math(t.builder());
  const Value value = t.plain(0);
  const float infinity = std::numeric_limits<float>::infinity();
  const TensorType boolean{DType::boolean, {}, {}};
  const auto equals = [&](float number) {
    Broadcast operands = broadcast(t.builder(), {value, math.number(number)});
    return Value{t.builder().add("EQUAL", operands.ids, {boolean})[0], std::move(operands.layout)};
  };
  const bool up = t.node().integer("detect_positive", 1) != 0, down = t.node().integer("detect_negative", 1) != 0;
  if (up != down) return t.give(0, equals(up ? infinity : -infinity));
  require(up, "detects no infinity at all; remove it");
  const Value high = equals(infinity), low = equals(-infinity);
  t.give(0, {t.builder().add("LOGICAL_OR", {high.id, low.id}, {boolean})[0], high.layout});
}

void is_nan(Translator& t) {
  const Value value = t.plain(0);
  const TensorId id = t.builder().add("NOT_EQUAL", {value.id, value.id}, {{DType::boolean, {}, {}}})[0];
  t.give(0, {id, value.layout});
}

constexpr Translation table[] = {
    {"Abs", unary},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", unary},
    {"Cos", unary},
    {"Dropout", dropout},
    {"Exp", unary},
    {"Floor", unary},
    {"HardSwish", unary},
    {"Identity", identity_of},
    {"IsInf", is_infinite},
    {"IsNaN", is_nan},
    {"LeakyRelu", leaky_relu},
    {"Log", unary},
    {"Neg", unary},
    {"Not", unary},
    {"Relu", relu},
    {"Round", unary},
    {"Sigmoid", unary},
    {"Sign", unary},
    {"Sin", unary},
    {"Sqrt", unary},
    {"Tanh", unary},
};

}  // namespace

std::span<const Translation> unary_translations() { return table; }

}  // namespace mote::onnx
