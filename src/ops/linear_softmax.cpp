// SPDX-License-Identifier: Apache-2.0
// The softmax whose exponential is a straight line: everything the compiler knows about it.
#include "nn/linear_softmax.hpp"

#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"
#include "ops/shifted_sum.hpp"

namespace mote {

namespace {

class LinearSoftmax final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "linear_softmax"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = op::one_input(in);
    op::require_dtype(input, {DType::i8}, "input");
    require(op::rows_of(input.shape).depth <= 1 << 23, "has rows of {} elements; their sums hold 2^23",
            input.shape.back());
    TensorType output = op::declared_type(declared, DType::i8);
    output.shape = input.shape;
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const double in_scale = static_cast<double>(tensor_scale(in[0]->type, "input"));
    const double out_scale = static_cast<double>(tensor_scale(out[0], "output"));
    return op::reference_by_row(in[0]->type.shape, x[0],
                                [&](std::span<const double> row, std::span<double> result) {
                                  const double largest = *std::max_element(row.begin(), row.end());
                                  double sum = 0;
                                  for (size_t i = 0; i < row.size(); ++i) {
                                    result[i] = std::max(128 + 2 * std::round((row[i] - largest) / in_scale), 0.0);
                                    sum += result[i];
                                  }
                                  for (double& e : result) e = out_scale * std::floor(127 * e / sum);
                                });
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    return op::whole_rows(region, in[0]->type.shape);
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const op::Rows rows = op::rows_of(in[0]->type.shape);
    Call call = make_call(nn::linear_softmax_s8, "linear_softmax_s8", "nn/linear_softmax.hpp", "LinearSoftmax",
                          nn::LinearSoftmax{rows.count, rows.depth}, {input(0), output(0)});
    call.order = op::row_by_row(in[0]->type.shape);
    return call;
  }
};

Sample sample(std::mt19937& random) {
  const TensorType type{DType::i8, op::random_shape(random, 1, 4, 6), {{0.5F}, {0}, -1}};
  return {make_linear_softmax(), {op::variable(type)}, {{DType::i8, type.shape, {{0.25F}, {0}, -1}}}, 1e-6};
}

}  // namespace

OperatorPtr make_linear_softmax() { return std::make_shared<LinearSoftmax>(); }

namespace op {

extern const OpDef linear_softmax{.name = "linear_softmax", .tflite = {}, .sample = sample};

}  // namespace op
}  // namespace mote
