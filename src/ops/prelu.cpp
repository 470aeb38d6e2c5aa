// SPDX-License-Identifier: Apache-2.0
// Rectifier whose slope below zero is a tensor: everything the compiler knows about it.
#include "nn/prelu.hpp"

#include "ops/binary.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/prelu.hpp";

// As the kernel reads them: slopes have 8 bits also where x has 16.
Tensor widened_slopes(const Tensor& slopes) {
  require(slopes.constant(),
          "computes its slopes at run time, which is not supported for i16; make them constants");
  const std::vector<int8_t> codes = to_values<int8_t>(slopes.data);
  Tensor wide = slopes;
  wide.type.dtype = DType::i16;
  wide.data = to_bytes(std::vector<int16_t>(codes.begin(), codes.end()));
  return wide;
}

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
  const bool wide = use.out.dtype == DType::i16;
  const IntegerRange range = activation_range(Activation::none, use.out);
  const nn::QuantizedPrelu prelu{tensor_zero(use.a(), "input"),
                                 tensor_zero(use.b(), "slope"),
                                 tensor_zero(use.out, "output"),
                                 above.multiplier,
                                 above.shift,
                                 below.multiplier,
                                 below.shift,
                                 range.low,
                                 range.high};
  if (wide) {
    require(prelu.zero_x == 0 && prelu.zero == 0, "has zero points {} and {}; of i16 they must be 0", prelu.zero_x,
            prelu.zero);
    const Tensor slopes = widened_slopes(*use.in[1]);
    const Tensor* const in[] = {use.in[0], &slopes};
    return map_2_call<int16_t, int16_t>(Function{prelu, "nn::QuantizedPrelu", header}, in, use.out);
  }
  return map_2_call<int8_t, int8_t>(Function{prelu, "nn::QuantizedPrelu", header}, use.in, use.out);
}

const BinaryKind kind{
    "prelu",
    {DType::f32, DType::i8, DType::i16},
    false,
    [](long double x, long double slope, bool) { return x >= 0 ? x : x * slope; },
    prelu_call,
    false,
    [](DType x) { return x == DType::i16 ? DType::i8 : x; },
    [](DType dtype) { return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt; }};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<Binary>(kind, Activation::none), {0, 1}}; }

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::i16, DType::f32};
  const DType dtype = dtypes[random_integer(random, 0, 3)];
  RandomOperands operands = random_operands(random, dtype);
  operands.in[0]->type.shape = operands.shape;  // slopes are broadcast, x is not
  if (operands.in[0]->constant()) make_constant(*operands.in[0], random);
  if (dtype == DType::i16) {
    operands.in[0]->data.clear();
    operands.in[1]->type = random_type(random, DType::i8, operands.in[1]->type.shape);
    make_constant(*operands.in[1], random);
  }
  TensorType out = random_type(random, dtype, operands.shape);
  if (dtype != DType::f32) {
    // Steps no finer than those of what they show: more would show its rounding.
    out.quant.scale[0] = std::max({out.quant.scale[0], operands.in[0]->type.quant.scale[0],
                                   operands.in[0]->type.quant.scale[0] * operands.in[1]->type.quant.scale[0]});
  }
  return {std::make_shared<Binary>(kind, Activation::none), operands.in, {out}, dtype == DType::f32 ? 1e-6 : 1.01};
}

}  // namespace

extern const OpDef prelu{.name = "prelu", .tflite = {{"PRELU", from_tflite}}, .sample = sample};

}  // namespace mote::op
