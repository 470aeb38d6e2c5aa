// SPDX-License-Identifier: Apache-2.0
// Quantisation and requantisation: everything the compiler knows about them.
#include "ops/quantize.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ir/classifier.hpp"
#include "ir/rows.hpp"
#include "nn/quantize.hpp"
#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {

namespace op {

namespace {

// A pair of types, for a switch.
constexpr int pair(DType from, DType to) { return static_cast<int>(from) * 16 + static_cast<int>(to); }

class Quantize final : public Operator, public WorksInRows, public ClassifierPart {
 public:
  [[nodiscard]] std::string name() const override { return "quantize"; }
  [[nodiscard]] ClassifierRole classifier_role() const override { return ClassifierRole::conversion; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::f32, DType::i8, DType::u8, DType::i16, DType::i32}, "input");
    require(declared.size() == 1, "has {} outputs, it gives 1", declared.size());
    TensorType output = declared[0];
    require_dtype(output, {DType::i8, DType::u8, DType::i16, DType::i32}, "output");
    output.shape = input.shape;
    (void)tensor_zero(output, "output");
    require(tensor_scale(output, "output") > 0.0F, "has an output scale of {}, which must be positive",
            tensor_scale(output, "output"));
    (void)call_for(input, output);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override { return x; }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs, const Types&) const override {
    return std::make_shared<Quantize>(*this);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::QUANTIZE, in[0]->type.dtype == DType::f32 ? 1 : 2,
             tflite::schema::QuantizeOptionsT{});
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call = call_for(in[0]->type, out[0]);
    call.order = {.dims = static_cast<int>(out[0].shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  template <class Params>
  [[nodiscard]] static auto caller(const char* params_type, const Params& params) {
    return [=](auto kernel, const char* function) {
      return make_call(kernel, function, "nn/quantize.hpp", params_type, params, {input(0), output(0)});
    };
  }

  [[nodiscard]] static Call call_for(const TensorType& in, const TensorType& out) {
    if (in.dtype == DType::f32) return quantize_call(in, out);
    const int32_t zero_step = tensor_zero(out, "output") - tensor_zero(in, "input");
    const bool same_scale = tensor_scale(in, "input") == tensor_scale(out, "output");
    if (same_scale && ((in.dtype == DType::u8 && out.dtype == DType::i8 && zero_step == -128) ||
                       (in.dtype == DType::i8 && out.dtype == DType::u8 && zero_step == 128))) {
      return caller("FlipSign", nn::FlipSign{narrow<int32_t>(elements(in.shape))})(nn::flip_sign_8, "flip_sign_8");
    }
    return requantize_call(in, out);
  }

  [[nodiscard]] static Call quantize_call(const TensorType& in, const TensorType& out) {
    const auto call = caller("Quantize", nn::Quantize{narrow<int32_t>(elements(in.shape)),
                                                      tensor_scale(out, "output"), tensor_zero(out, "output")});
    if (out.dtype == DType::i8) return call(nn::quantize_f32_s8, "quantize_f32_s8");
    if (out.dtype == DType::u8) return call(nn::quantize_f32_u8, "quantize_f32_u8");
    require(out.dtype == DType::i16, "converts f32 to {}, which is not supported; use i8, u8 or i16",
            mote::name(out.dtype));
    return call(nn::quantize_f32_s16, "quantize_f32_s16");
  }

  [[nodiscard]] static Call requantize_call(const TensorType& in, const TensorType& out) {
    const FixedMultiplier fixed = quantize_multiplier(static_cast<double>(tensor_scale(in, "input")) /
                                                      static_cast<double>(tensor_scale(out, "output")));
    const IntegerRange range =
        out.dtype == DType::i32 ? IntegerRange{INT32_MIN, INT32_MAX} : activation_range(Activation::none, out);
    const auto call = caller(
        "RequantizeElements",
        nn::RequantizeElements{narrow<int32_t>(elements(in.shape)), tensor_zero(in, "input"), fixed.multiplier,
                               fixed.shift, tensor_zero(out, "output"), range.low, range.high});
    switch (pair(in.dtype, out.dtype)) {
      case pair(DType::i8, DType::i8): return call(nn::requantize_s8_s8, "requantize_s8_s8");
      case pair(DType::i8, DType::u8): return call(nn::requantize_s8_u8, "requantize_s8_u8");
      case pair(DType::i8, DType::i16): return call(nn::requantize_s8_s16, "requantize_s8_s16");
      case pair(DType::i8, DType::i32): return call(nn::requantize_s8_s32, "requantize_s8_s32");
      case pair(DType::u8, DType::i8): return call(nn::requantize_u8_s8, "requantize_u8_s8");
      case pair(DType::u8, DType::u8): return call(nn::requantize_u8_u8, "requantize_u8_u8");
      case pair(DType::i16, DType::i8): return call(nn::requantize_s16_s8, "requantize_s16_s8");
      case pair(DType::i16, DType::i16): return call(nn::requantize_s16_s16, "requantize_s16_s16");
      case pair(DType::i16, DType::i32): return call(nn::requantize_s16_s32, "requantize_s16_s32");
      case pair(DType::i32, DType::i8): return call(nn::requantize_s32_s8, "requantize_s32_s8");
      case pair(DType::i32, DType::i16): return call(nn::requantize_s32_s16, "requantize_s32_s16");
      case pair(DType::i32, DType::i32): return call(nn::requantize_s32_s32, "requantize_s32_s32");
    }
    fail("converts {} to {}, which is not supported; use i8 on one side", mote::name(in.dtype),
         mote::name(out.dtype));
  }
};

Made from_tflite(const tflite::OpView&) { return {make_quantize(), {0}}; }

Sample sample(std::mt19937& random) {
  using enum DType;
  const std::pair<DType, DType> pairs[] = {{f32, i8},  {f32, u8},  {f32, i16}, {i8, i8},   {i8, u8},
                                           {i8, i16},  {i8, i32},  {u8, i8},   {u8, u8},   {i16, i8},
                                           {i16, i16}, {i16, i32}, {i32, i8},  {i32, i16}, {i32, i32}};
  const auto& [from, to] = pairs[random_integer(random, 0, std::ssize(pairs) - 1)];
  TensorType in = random_type(random, from, random_shape(random, 1, 5, 5));
  TensorType out = random_type(random, to, in.shape);
  if (from == DType::u8 && to == DType::i8 && chance(random, 50)) {
    out.quant = {in.quant.scale, {in.quant.zero[0] - 128}, -1};
  }
  // All 32 bits of the input are random: they must not leave those of the output.
  if (from == DType::i32) {
    const float wanted = to == DType::i32 ? random_real(random, 1.1F, 9.0F) : random_real(random, 1e4F, 1e7F);
    const auto steps = static_cast<double>(wanted);
    in.quant.zero = {0};
    out.quant.scale = {static_cast<float>(static_cast<double>(in.quant.scale[0]) * steps)};
  }
  const double tolerance = from == DType::i32 ? 1.6 : 0.76;
  return {make_quantize(), {variable(in)}, {out}, tolerance};
}

}  // namespace

extern const OpDef quantize{.name = "quantize", .tflite = {{"QUANTIZE", from_tflite}}, .sample = sample};

}  // namespace op

OperatorPtr make_quantize() { return std::make_shared<op::Quantize>(); }

}  // namespace mote
