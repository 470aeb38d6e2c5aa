// SPDX-License-Identifier: Apache-2.0
// Logarithm of softmax: everything the compiler knows about it.
#include "nn/log_softmax.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"
#include "ops/scaled_differences.hpp"

namespace mote::op {

namespace {

class LogSoftmax final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "log_softmax"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    (void)rows_of(input.shape);
    if (input.dtype == DType::i8) {
      require(tensor_scale(output, "output") == 1.0F / 16 && tensor_zero(output, "output") == 127,
              "has an output with scale {} and zero point {}; an i8 log softmax gives 1/16 and 127, convert the "
              "model again",
              tensor_scale(output, "output"), tensor_zero(output, "output"));
      (void)kernel_parameters(input);
    }
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    return reference_by_row(in[0]->type.shape, x[0], [](std::span<const double> row, std::span<double> out) {
      const double largest = *std::max_element(row.begin(), row.end());
      double sum = 0.0;
      for (const double value : row) sum += std::exp(value - largest);
      for (size_t i = 0; i < row.size(); ++i) out[i] = row[i] - largest - std::log(sum);
    });
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    return whole_rows(region, in[0]->type.shape);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::LOG_SOFTMAX, tflite::usual_version(in[0]->type.dtype),
             tflite::schema::LogSoftmaxOptionsT{});
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::fixed(1.0F / 16, 127)) : std::nullopt;
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const TensorType& type = in[0]->type;
    const Rows rows = rows_of(type.shape);
    Call call = type.dtype == DType::i8
                    ? make_call(nn::log_softmax_s8, "log_softmax_s8", "nn/log_softmax.hpp", "LogSoftmax8",
                                kernel_parameters(type), {input(0), output(0)})
                    : make_call(nn::log_softmax_f32, "log_softmax_f32", "nn/log_softmax.hpp", "LogSoftmax",
                                nn::LogSoftmax{rows.count, rows.depth}, {input(0), output(0)});
    call.order = row_by_row(in[0]->type.shape);
    return call;
  }

 private:
  [[nodiscard]] static nn::LogSoftmax8 kernel_parameters(const TensorType& input) {
    const Rows rows = rows_of(input.shape);
    const ScaledDifferences scaled = scaled_differences(static_cast<double>(tensor_scale(input, "input")));
    const FixedMultiplier reverse =
        quantize_multiplier(std::exp2(31 - scaled.fixed.shift) / static_cast<double>(scaled.fixed.multiplier));
    return {rows.count,    rows.depth,   scaled.fixed.multiplier, scaled.fixed.shift, reverse.multiplier,
            reverse.shift, scaled.lowest};
  }
};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<LogSoftmax>(), {0}}; }

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 60) ? DType::i8 : DType::f32;
  const TensorType type = random_type(random, dtype, random_shape(random, 1, 4, 6));
  Sample sample{std::make_shared<LogSoftmax>(), {variable(type)}, {type}, dtype == DType::i8 ? 0.51 : 1e-5};
  if (dtype == DType::i8) sample.out[0].quant = {{1.0F / 16}, {127}, -1};
  return sample;
}

}  // namespace

extern const OpDef log_softmax{.name = "log_softmax", .tflite = {{"LOG_SOFTMAX", from_tflite}}, .sample = sample};

}  // namespace mote::op
