// SPDX-License-Identifier: Apache-2.0
// What average and maximum pooling share on the host: parameters, shapes, windows, samples.
#pragma once

#include "formats/tflite_view.hpp"
#include "ir/rows.hpp"
#include "nn/pool.hpp"
#include "ops/quantize_multiplier.hpp"

namespace mote::op {

class Pooling : public Operator, public WorksInRows {
 public:
  struct Parameters {
    Window height, width;
    Padding pad_height, pad_width;
    Activation activation = Activation::none;
  };
  explicit Pooling(Parameters parameters) : parameters_(parameters) {}

  [[nodiscard]] std::string parameters() const override;
  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override;
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override;
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override;
  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const override;

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override;
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs in, const Types& out) const override;

 protected:
  // The operator's name in the schema.
  [[nodiscard]] virtual tflite::schema::BuiltinOperator code() const = 0;
  // Is an element of the lowest value as good as none?
  [[nodiscard]] virtual bool padding_ignored() const = 0;
  // The same operator with other parameters.
  [[nodiscard]] virtual OperatorPtr with(const Parameters& parameters) const = 0;
  // The value of a window from its real elements (never empty).
  [[nodiscard]] virtual double window_value(const std::vector<double>& elements) const = 0;

  [[nodiscard]] Activation activation() const { return parameters_.activation; }
  [[nodiscard]] nn::Pool kernel_parameters(const TensorType& in, const TensorType& out) const;
  [[nodiscard]] nn::PoolFloat kernel_parameters_float(const TensorType& in, const TensorType& out) const;

 private:
  template <class Limit>
  [[nodiscard]] nn::PoolOf<Limit> geometry(const TensorType& in, const TensorType& out) const;

  Parameters parameters_;
};

[[nodiscard]] OperatorPtr make_avg_pool(const Pooling::Parameters& parameters);  // of what is not padding
[[nodiscard]] OperatorPtr make_max_pool(const Pooling::Parameters& parameters);

[[nodiscard]] Pooling::Parameters pooling_from_tflite(const tflite::OpView& view);

// A random input type, one of `dtypes`, and parameters; the types of the sample are filled in, its operator is
// made by `make`.
[[nodiscard]] Sample pooling_sample(std::mt19937& random, OperatorPtr (*make)(const Pooling::Parameters&),
                                    const std::vector<DType>& dtypes);

}  // namespace mote::op
