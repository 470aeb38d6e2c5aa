// SPDX-License-Identifier: Apache-2.0
// Logarithm of softmax: everything the compiler knows about it.
#include "nn/log_softmax.hpp"

#include "formats/tflite_view.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

class LogSoftmax final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "log_softmax"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    (void)rows_of(input.shape);
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

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const Rows rows = rows_of(in[0]->type.shape);
    Call call = make_call(nn::log_softmax_f32, "log_softmax_f32", "nn/log_softmax.hpp", "LogSoftmax",
                          nn::LogSoftmax{rows.count, rows.depth}, {input(0), output(0)});
    call.order = row_by_row(in[0]->type.shape);
    return call;
  }
};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<LogSoftmax>(), {0}}; }

Sample sample(std::mt19937& random) {
  const TensorType type{DType::f32, random_shape(random, 1, 4, 6), {}};
  return {std::make_shared<LogSoftmax>(), {variable(type)}, {type}, 1e-5};
}

}  // namespace

extern const OpDef log_softmax{.name = "log_softmax", .tflite = {{"LOG_SOFTMAX", from_tflite}}, .sample = sample};

}  // namespace mote::op
