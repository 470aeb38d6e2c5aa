// SPDX-License-Identifier: Apache-2.0
// Rectifier whose slope below zero is a tensor: everything the compiler knows about it.
#include "nn/prelu.hpp"

#include "ops/binary.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/prelu.hpp";

// Inputs: x and its slopes, which are broadcast.
Call prelu_call(const BinaryUse& use) {
  require(use.out.shape == use.a().shape, "has slopes {} for an input {}; they must broadcast to its shape",
          to_text(use.b().shape), to_text(use.a().shape));
  if (use.out.dtype == DType::f32)
    return map_2_call<float, float>(Function<nn::Prelu>{{}, "nn::Prelu", header}, use.in, use.out);
  const auto scale = [](const TensorType& type, std::string_view what) {
    return static_cast<double>(tensor_scale(type, what));
  };
  const double out = scale(use.out, "output"), x = scale(use.a(), "input");
  const FixedMultiplier above = quantize_multiplier(x / out);
  const FixedMultiplier below = quantize_multiplier(x * scale(use.b(), "slope") / out);
  require(above.shift <= 14 && below.shift <= 14, "has an output scale of {}, too small for its input",
          tensor_scale(use.out, "output"));
  const nn::QuantizedPrelu prelu{tensor_zero(use.a(), "input"),
                                 tensor_zero(use.b(), "slope"),
                                 tensor_zero(use.out, "output"),
                                 above.multiplier,
                                 above.shift,
                                 below.multiplier,
                                 below.shift};
  return map_2_call<int8_t, int8_t>(Function{prelu, "nn::QuantizedPrelu", header}, use.in, use.out);
}

const BinaryKind kind{"prelu",
                      {DType::f32, DType::i8},
                      false,
                      [](long double x, long double slope, bool) { return x >= 0 ? x : x * slope; },
                      prelu_call};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<Binary>(kind, Activation::none), {0, 1}}; }

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 60) ? DType::i8 : DType::f32;
  RandomOperands operands = random_operands(random, dtype);
  operands.in[0]->type.shape = operands.shape;  // slopes are broadcast, x is not
  if (operands.in[0]->constant()) make_constant(*operands.in[0], random);
  TensorType out = random_type(random, dtype, operands.shape);
  if (dtype == DType::i8) {
    // Steps no finer than those of what they show: more would show its rounding.
    out.quant.scale[0] = std::max({out.quant.scale[0], operands.in[0]->type.quant.scale[0],
                                   operands.in[0]->type.quant.scale[0] * operands.in[1]->type.quant.scale[0]});
  }
  return {std::make_shared<Binary>(kind, Activation::none), operands.in, {out}, dtype == DType::f32 ? 1e-6 : 1.01};
}

}  // namespace

extern const OpDef prelu{.name = "prelu", .tflite = {{"PRELU", from_tflite}}, .sample = sample};

}  // namespace mote::op
