// SPDX-License-Identifier: Apache-2.0
// Dequantisation: everything the compiler knows about it.
#include "ops/dequantize.hpp"

#include "formats/tflite_writer.hpp"
#include "ir/classifier.hpp"
#include "ir/rows.hpp"
#include "nn/dequantize.hpp"
#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/reshape.hpp"
#include "ops/sampling.hpp"

namespace mote {

namespace op {

namespace {

class Dequantize final : public Operator, public WorksInRows, public ClassifierPart {
 public:
  [[nodiscard]] std::string name() const override { return "dequantize"; }
  [[nodiscard]] ClassifierRole classifier_role() const override { return ClassifierRole::conversion; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::u8, DType::i16}, "input");
    const float scale = tensor_scale(input, "input");
    // Products stay normal numbers: the reference rounds once, and so do we.
    require(scale > 1e-30F && scale < 1e30F, "has an input scale of {}; scales from 1e-30 to 1e30 are supported",
            scale);
    (void)tensor_zero(input, "input");
    TensorType output = declared_type(declared, DType::f32);
    output.shape = input.shape;
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override { return x; }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs, const Types&) const override {
    return std::make_shared<Dequantize>(*this);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::DEQUANTIZE, tflite::usual_version(in[0]->type.dtype),
             tflite::schema::DequantizeOptionsT{});
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const auto count = narrow<int32_t>(elements(type.shape));
    const float scale = tensor_scale(type, "input");
    const int32_t zero = tensor_zero(type, "input");
    int exponent = 0;
    const auto mantissa = static_cast<int32_t>(std::ldexp(std::frexp(scale, &exponent), 24));
    const nn::Dequantize narrow_parameters{count, mantissa, exponent - 24, zero};
    const std::vector<Argument> arguments{input(0), output(0)};
    const char* const header = "nn/dequantize.hpp";
    Call call =
        type.dtype == DType::i8
            ? make_call(nn::dequantize_s8, "dequantize_s8", header, "Dequantize", narrow_parameters, arguments)
        : type.dtype == DType::u8
            ? make_call(nn::dequantize_u8, "dequantize_u8", header, "Dequantize", narrow_parameters, arguments)
            : make_call(nn::dequantize_s16, "dequantize_s16", header, "DequantizeWide",
                        nn::DequantizeWide{count, scale, zero}, arguments);
    call.order = {.dims = static_cast<int>(out[0].shape.size()), .block = 1, .reads_first = true};
    return call;
  }
};

// Constants in half precision have become single precision when the file was read: nothing is left to do.
Made from_tflite(const tflite::OpView& view) {
  const TensorType& type = file_input(view).type;
  if (type.dtype == DType::f32) return {make_reshape(type.shape), {0}};
  return {make_dequantize(), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::u8, DType::i16};
  const TensorType type = random_type(random, dtypes[random_integer(random, 0, 3)], random_shape(random, 1, 5, 5));
  return {std::make_shared<Dequantize>(), {variable(type)}, {{DType::f32, type.shape, {}}}, 6e-8};
}

}  // namespace

extern const OpDef dequantize{.name = "dequantize", .tflite = {{"DEQUANTIZE", from_tflite}}, .sample = sample};

}  // namespace op

OperatorPtr make_dequantize() { return std::make_shared<op::Dequantize>(); }

}  // namespace mote
