// SPDX-License-Identifier: Apache-2.0
// What reductions over a set of axes share on the host: shapes, regions, merged axes.
#pragma once

#include "formats/tflite_view.hpp"
#include "ir/operator.hpp"
#include "nn/reduce.hpp"

namespace mote::op {

class Reduction : public Operator {
 public:
  struct Parameters {
    std::vector<bool> folded;  // by input dimension
    bool keep_dims = false;
  };
  explicit Reduction(Parameters parameters) : parameters_(std::move(parameters)) {}

  [[nodiscard]] std::string parameters() const override;
  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override;
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override;
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override;

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override;

 protected:
  // The operator's name in the schema.
  [[nodiscard]] virtual tflite::schema::BuiltinOperator code() const = 0;
  [[nodiscard]] virtual std::vector<DType> dtypes() const = 0;  // that the operator takes

  // The value of the real elements (never empty) that fold into one.
  [[nodiscard]] virtual double folded_value(const std::vector<double>& elements) const = 0;

  [[nodiscard]] int64_t folded_count(const Shape& shape) const;
  // The dimension behind those that are folded, if these are dimension 1 and some that follow it; else 0.
  [[nodiscard]] size_t folded_to(const Shape& shape) const;
  [[nodiscard]] nn::Reduce loops(const Shape& shape) const;  // throws Error when there are too many groups of axes
  [[nodiscard]] static Order order(const TensorType& out);

 private:
  Parameters parameters_;
};

[[nodiscard]] Reduction::Parameters reduction_from_tflite(const tflite::OpView& view);
[[nodiscard]] Reduction::Parameters random_reduction(std::mt19937& random, const Shape& shape);
[[nodiscard]] Shape reduced(const Shape& shape, const Reduction::Parameters& parameters);  // the output's shape

}  // namespace mote::op
