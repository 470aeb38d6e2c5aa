// SPDX-License-Identifier: Apache-2.0
// Functions of two tensors, element by element with broadcasting: one class over descriptions of the functions.
#pragma once

#include "formats/tflite_view.hpp"
#include "ir/rows.hpp"
#include "ops/elementwise.hpp"

namespace mote::op {

// One use of a function, for the kernel's call.
struct BinaryUse {
  Inputs in;
  const TensorType& out;
  Activation activation;
  Core core = {};

  [[nodiscard]] const TensorType& a() const { return in[0]->type; }
  [[nodiscard]] const TensorType& b() const { return in[1]->type; }
};

struct BinaryKind {
  std::string_view name;
  std::vector<DType> dtypes;
  bool gives_boolean = false;  // else the output has the inputs' dtype
  // The mathematics; `whole`: on integers without quantisation. Long double holds every 64-bit integer.
  long double (*real)(long double a, long double b, bool whole);
  Call (*call)(const BinaryUse& use);      // checks the quantisation, too
  bool takes_activation = false;           // a fused one, that is
  DType (*second)(DType first) = nullptr;  // the second input's dtype; absent: the first one's
  // How reals become integers of type `dtype`; absent: they stay real.
  std::optional<IntegerForm> (*integer_form)(DType dtype) = nullptr;
};

class Binary final : public Operator, public WorksInRows {
 public:
  // `kind` lives as long as the program.
  Binary(const BinaryKind& kind, Activation activation) : kind_(kind), activation_(activation) {}

  [[nodiscard]] std::string name() const override { return std::string(kind_.name); }
  [[nodiscard]] std::string parameters() const override;
  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override;
  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override;
  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override;
  [[nodiscard]] OperatorPtr absorb(const Operator& next, Inputs in, Inputs next_in,
                                   const TensorType& middle) const override;
  [[nodiscard]] Call lower(Inputs in, const Types& out) const override { return lower_for({}, in, out); }
  [[nodiscard]] Call lower_for(const Core& core, Inputs in, const Types& out) const override;
  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const override;

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override;
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs in, const Types& out) const override;

 private:
  const BinaryKind& kind_;
  Activation activation_;
};

// Two random inputs of type `dtype` that broadcast, one of them constant now and then, and their common shape.
struct RandomOperands {
  std::vector<std::optional<Tensor>> in;
  Shape shape;
};
[[nodiscard]] RandomOperands random_operands(std::mt19937& random, DType dtype);

template <class Options>
[[nodiscard]] Activation fused_activation(const tflite::OpView& view) {
  const auto* const options = view.options<Options>();
  return options == nullptr ? Activation::none
                            : activation_from_tflite(static_cast<int>(options->fused_activation_function()));
}

}  // namespace mote::op
