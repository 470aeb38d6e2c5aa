// SPDX-License-Identifier: Apache-2.0
// Activations of ONNX that Mote has no operator for: they are computed by what they are defined by.
#include <cctype>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"
#include "ops/functions.hpp"

namespace mote::onnx {

namespace {

void reciprocal(Translator& t) {
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return math.divide(math.number(1.0F), x); });
}

void hard_sigmoid(Translator& t) {
  FloatMath math(t.builder());
  const float alpha = t.node().real("alpha", 0.2F), beta = t.node().real("beta", 0.5F);
  elementwise(t, [&](const Value& x) {
    const Value line = math.add(math.multiply(x, alpha), beta);
    return math.minimum(math.maximum(line, math.number(0.0F)), math.number(1.0F));
  });
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)): the exponential cannot overflow.
Value softplus_of(FloatMath& math, const Value& x) {
  const Value small = math.unary("EXP", math.multiply(math.unary("ABS", x), -1.0F));
  return math.add(math.maximum(x, math.number(0.0F)), math.unary("LOG", math.add(small, 1.0F)));
}

void softplus(Translator& t) {
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return softplus_of(math, x); });
}

void mish(Translator& t) {
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return math.multiply(x, math.unary("TANH", softplus_of(math, x))); });
}

void swish(Translator& t) {
  FloatMath math(t.builder());
  const float alpha = t.node().real("alpha", 1.0F);
  elementwise(t, [&](const Value& x) {
    return math.multiply(x, math.unary("LOGISTIC", alpha == 1.0F ? x : math.multiply(x, alpha)));
  });
}

void softsign(Translator& t) {
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return math.divide(x, math.add(math.unary("ABS", x), 1.0F)); });
}

// positive * max(x, 0) + negative * (exp(min(x, 0) / width) - 1)
Value exponential_unit(FloatMath& math, const Value& x, float positive, float negative, float width) {
  const Value below = math.multiply(math.minimum(x, math.number(0.0F)), 1.0F / width);
  const Value curve = math.multiply(math.add(math.unary("EXP", below), -1.0F), negative);
  const Value line = math.maximum(x, math.number(0.0F));
  return math.add(positive == 1.0F ? line : math.multiply(line, positive), curve);
}

void elu(Translator& t) {
  const float alpha = t.node().real("alpha", 1.0F);
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) {
    return alpha == 1.0F ? math.unary("ELU", x) : exponential_unit(math, x, 1.0F, alpha, 1.0F);
  });
}

void celu(Translator& t) {
  const float alpha = t.node().real("alpha", 1.0F);
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return exponential_unit(math, x, 1.0F, alpha, alpha); });
}

void selu(Translator& t) {
  const float alpha = t.node().real("alpha", 1.67326319217681884765625F);
  const float gamma = t.node().real("gamma", 1.05070102214813232421875F);
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return exponential_unit(math, x, gamma, gamma * alpha, 1.0F); });
}

// 1 where x is above the limit, 0 elsewhere.
Value above(Builder& builder, const Value& x, const Value& limit) {
  Broadcast compared = broadcast(builder, {x, limit});
  const TensorId mask = builder.add("GREATER", compared.ids, {{DType::boolean, {}, {}}})[0];
  return {builder.add("CAST", tflite::schema::CastOptionsT{}, {mask}, {{DType::f32, {}, {}}})[0],
          std::move(compared.layout)};
}

void thresholded_relu(Translator& t) {
  FloatMath math(t.builder());
  const Value limit = math.number(t.node().real("alpha", 1.0F));
  elementwise(t, [&](const Value& x) { return math.multiply(x, above(t.builder(), x, limit)); });
}

// x + bias below -lambd, x - bias above lambd, 0 between them.
void shrink(Translator& t) {
  FloatMath math(t.builder());
  const float bias = t.node().real("bias", 0.0F), limit = t.node().real("lambd", 0.5F);
  elementwise(t, [&](const Value& x) {
    const Value high = above(t.builder(), x, math.number(limit));
    const Value low = above(t.builder(), math.number(-limit), x);
    const Value shifted_down = math.multiply(math.add(x, -bias), high);
    return math.add(shifted_down, math.multiply(math.add(x, bias), low));
  });
}

void tangent(Translator& t) {
  FloatMath math(t.builder());
  elementwise(t, [&](const Value& x) { return math.divide(math.unary("SIN", x), math.unary("COS", x)); });
}

// (exp(x) - exp(-x)) / 2, and with a plus.
void hyperbolic(Translator& t) {
  FloatMath math(t.builder());
  const bool sine = t.node().op == "Sinh";
  elementwise(t, [&](const Value& x) {
    const Value up = math.unary("EXP", x), down = math.unary("EXP", math.multiply(x, -1.0F));
    return math.multiply(sine ? math.subtract(up, down) : math.add(up, down), 0.5F);
  });
}

// Functions that have an operator of their own, by its name.
void function(Translator& t) {
  std::string name = t.node().op;
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  elementwise(t, [&](const Value& x) {
    return Value{t.builder().add(make_function(name), {x.id}, {{DType::f32, {}, {}}})[0], x.layout};
  });
}

void gelu(Translator& t) {
  tflite::schema::GeluOptionsT options;
  options.approximate = t.node().text("approximate", "none") == "tanh";
  elementwise(t, [&](const Value& x) {
    return Value{t.builder().add("GELU", options, {x.id}, {{DType::f32, {}, {}}})[0], x.layout};
  });
}

constexpr Translation table[] = {
    {"Acos", function},     {"Acosh", function},
    {"Asin", function},     {"Asinh", function},
    {"Atan", function},     {"Atanh", function},
    {"Celu", celu},         {"Cosh", hyperbolic},
    {"Elu", elu},           {"Erf", function},
    {"Gelu", gelu},         {"HardSigmoid", hard_sigmoid},
    {"Mish", mish},         {"Reciprocal", reciprocal},
    {"Selu", selu},         {"Shrink", shrink},
    {"Sinh", hyperbolic},   {"Softplus", softplus},
    {"Softsign", softsign}, {"Swish", swish},
    {"Tan", tangent},       {"ThresholdedRelu", thresholded_relu},
};

}  // namespace

void tabulate(Translator& t, const Mode& mode, const Value& value,
              const std::function<Value(const Value&)>& function) {
  Builder& builder = t.builder();
  const Quantization quant = builder.tensor(value.id).type.quant;
  require(quant.scale.size() == 1, "reads what is quantised per channel, which is not supported here");
  std::vector<float> numbers;
  for (int32_t code = -128; code < 128; ++code) {
    numbers.push_back(static_cast<float>(code - quant.zero[0]) * quant.scale[0]);
  }
  const Value all{builder.constant({256}, numbers), layout_of({256}, {0})};
  const TensorId codes = builder.add("QUANTIZE", {function(all).id}, {mode.type})[0];
  require(builder.tensor(codes).constant(), "internal: a table that is not known");
  const OperatorPtr op = make_byte_table(to_values<int8_t>(builder.tensor(codes).data));
  t.give_mode(mode, builder.add(op, {value.id}, {mode.type})[0], value.layout);
}

void elementwise(Translator& t, const std::function<Value(const Value&)>& function) {
  Value value = t.in(0);
  const Mode mode = t.mode({&value}, false);
  if (mode.integer()) return tabulate(t, mode, value, function);
  t.give(0, function(value));
}

std::span<const Translation> activation_translations() { return table; }

}  // namespace mote::onnx
