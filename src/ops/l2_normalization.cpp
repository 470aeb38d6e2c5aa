// SPDX-License-Identifier: Apache-2.0
// Rows divided by their Euclidean length: everything the compiler knows about it.
#include "nn/l2_normalization.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr int32_t most_depth = INT32_MAX / (255 * 255);  // so that the sum of squares fits

class L2Normalization final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "l2_normalization"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    const Rows rows = rows_of(input.shape);
    if (input.dtype == DType::f32) return {output};
    require(tensor_scale(output, "output") == 1.0F / 128 && tensor_zero(output, "output") == 0,
            "has an output with scale {} and zero point {}; an i8 L2 normalisation gives 1/128 and 0, convert the "
            "model again",
            tensor_scale(output, "output"), tensor_zero(output, "output"));
    require(rows.depth <= most_depth, "normalises rows of {} elements; i8 rows of up to {} are supported",
            rows.depth, most_depth);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    return reference_by_row(in[0]->type.shape, x[0], [](std::span<const double> row, std::span<double> out) {
      double sum = 0.0;
      for (const double value : row) sum += value * value;
      for (size_t i = 0; i < row.size(); ++i) out[i] = row[i] / std::max(std::sqrt(sum), 1e-6);
    });
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    return whole_rows(region, in[0]->type.shape);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::L2_NORMALIZATION, tflite::usual_version(in[0]->type.dtype),
             tflite::schema::L2NormOptionsT{});
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::fixed(1.0F / 128, 0)) : std::nullopt;
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const TensorType& type = in[0]->type;
    const Rows rows = rows_of(type.shape);
    const bool real = type.dtype == DType::f32;
    const nn::L2Normalization params{rows.count, rows.depth, real ? 0 : tensor_zero(type, "input")};
    const auto call_of = [&](auto kernel, const char* kernel_name) {
      return make_call(kernel, kernel_name, "nn/l2_normalization.hpp", "L2Normalization", params,
                       {input(0), output(0)});
    };
    Call call = real ? call_of(nn::l2_normalization_f32, "l2_normalization_f32")
                     : call_of(nn::l2_normalization_s8, "l2_normalization_s8");
    call.order = row_by_row(type.shape);
    return call;
  }
};

Made from_tflite(const tflite::OpView& view) {
  const auto* const options = view.options<tflite::schema::L2NormOptions>();
  require(
      options == nullptr || options->fused_activation_function() == tflite::schema::ActivationFunctionType::NONE,
      "fuses an activation, which is not supported; export it as an operator of its own");
  return {std::make_shared<L2Normalization>(), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 60) ? DType::i8 : DType::f32;
  const TensorType type = random_type(random, dtype, random_shape(random, 1, 4, 6));
  Sample sample{std::make_shared<L2Normalization>(), {variable(type)}, {type}, dtype == DType::i8 ? 1.01 : 1e-5};
  if (dtype == DType::i8) sample.out[0].quant = {{1.0F / 128}, {0}, -1};
  return sample;
}

}  // namespace

extern const OpDef l2_normalization{
    .name = "l2_normalization", .tflite = {{"L2_NORMALIZATION", from_tflite}}, .sample = sample};

}  // namespace mote::op
