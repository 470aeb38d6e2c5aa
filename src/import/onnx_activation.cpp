// SPDX-License-Identifier: Apache-2.0
// Activations of ONNX that Mote has no operator for: they are computed by what they are defined by.
#include <cmath>

#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

void reciprocal(Translator& t) {
  FloatMath math(t.builder());
  t.give(0, math.divide(math.number(1.0F), t.plain(0)));
}

void hard_sigmoid(Translator& t) {
  FloatMath math(t.builder());
  const float alpha = t.node().real("alpha", 0.2F), beta = t.node().real("beta", 0.5F);
  const Value line = math.add(math.multiply(t.plain(0), alpha), beta);
  t.give(0, math.minimum(math.maximum(line, math.number(0.0F)), math.number(1.0F)));
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)): the exponential cannot overflow.
Value softplus_of(FloatMath& math, const Value& x) {
  const Value small = math.unary("EXP", math.multiply(math.unary("ABS", x), -1.0F));
  return math.add(math.maximum(x, math.number(0.0F)), math.unary("LOG", math.add(small, 1.0F)));
}

void softplus(Translator& t) {
  FloatMath math(t.builder());
  t.give(0, softplus_of(math, t.plain(0)));
}

void mish(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0);
  t.give(0, math.multiply(x, math.unary("TANH", softplus_of(math, x))));
}

void softsign(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0);
  t.give(0, math.divide(x, math.add(math.unary("ABS", x), 1.0F)));
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
  const Value x = t.plain(0);
  t.give(0, alpha == 1.0F ? math.unary("ELU", x) : exponential_unit(math, x, 1.0F, alpha, 1.0F));
}

void celu(Translator& t) {
  const float alpha = t.node().real("alpha", 1.0F);
  FloatMath math(t.builder());
  t.give(0, exponential_unit(math, t.plain(0), 1.0F, alpha, alpha));
}

void selu(Translator& t) {
  const float alpha = t.node().real("alpha", 1.67326319217681884765625F);
  const float gamma = t.node().real("gamma", 1.05070102214813232421875F);
  FloatMath math(t.builder());
  t.give(0, exponential_unit(math, t.plain(0), gamma, gamma * alpha, 1.0F));
}

// x times one where it is above alpha, times zero elsewhere.
void thresholded_relu(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0), limit = math.number(t.node().real("alpha", 1.0F));
  const Broadcast compared = broadcast(t.builder(), {x, limit});
  const TensorId above = t.builder().add("GREATER", compared.ids, {{DType::boolean, {}, {}}})[0];
  const TensorId factor =
      t.builder().add("CAST", tflite::schema::CastOptionsT{}, {above}, {{DType::f32, {}, {}}})[0];
  t.give(0, math.multiply(x, {factor, compared.layout}));
}

void sine_and_kin(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0);
  t.give(0, math.divide(math.unary("SIN", x), math.unary("COS", x)));
}

// (exp(x) - exp(-x)) / 2, and with a plus.
void hyperbolic(Translator& t) {
  FloatMath math(t.builder());
  const Value x = t.plain(0);
  const Value up = math.unary("EXP", x), down = math.unary("EXP", math.multiply(x, -1.0F));
  t.give(0, math.multiply(t.node().op == "Sinh" ? math.subtract(up, down) : math.add(up, down), 0.5F));
}

constexpr Translation table[] = {
    {"Celu", celu},         {"Cosh", hyperbolic},
    {"Elu", elu},           {"HardSigmoid", hard_sigmoid},
    {"Mish", mish},         {"Reciprocal", reciprocal},
    {"Selu", selu},         {"Sinh", hyperbolic},
    {"Softplus", softplus}, {"Softsign", softsign},
    {"Tan", sine_and_kin},  {"ThresholdedRelu", thresholded_relu},
};

}  // namespace

std::span<const Translation> activation_translations() { return table; }

}  // namespace mote::onnx
