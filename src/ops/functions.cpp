// SPDX-License-Identifier: Apache-2.0
// Error function, inverse and hyperbolic functions in float: everything the compiler knows about them.
#include "ops/functions.hpp"

#include <cmath>

#include "nn/functions.hpp"
#include "ops/elementwise.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {

namespace {

struct Kind {
  std::string_view name;
  double (*real)(double);
  Call (*call)(const Argument& x, int64_t count);
  float low, high;  // where samples take their numbers from
};

template <class F>
Call call_of(const char* type, const Argument& x, int64_t count) {
  return op::map_1_call<float, float>(op::Function<F>{{}, type, "nn/functions.hpp"}, x, count);
}

const Kind kinds[] = {
    {"erf", [](double x) { return std::erf(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Erf>("nn::Erf", x, count); }, -4, 4},
    {"atan", [](double x) { return std::atan(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Atan>("nn::Atan", x, count); }, -9, 9},
    {"asin", [](double x) { return std::asin(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Asin>("nn::Asin", x, count); }, -1, 1},
    {"acos", [](double x) { return std::acos(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Acos>("nn::Acos", x, count); }, -1, 1},
    {"asinh", [](double x) { return std::asinh(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Asinh>("nn::Asinh", x, count); }, -9, 9},
    {"acosh", [](double x) { return std::acosh(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Acosh>("nn::Acosh", x, count); }, 1, 9},
    {"atanh", [](double x) { return std::atanh(x); },
     [](const Argument& x, int64_t count) { return call_of<nn::Atanh>("nn::Atanh", x, count); }, -0.99F, 0.99F},
};

class RealFunction final : public Operator {
 public:
  explicit RealFunction(const Kind& kind) : kind_(kind) {}

  [[nodiscard]] std::string name() const override { return std::string(kind_.name); }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = op::one_input(in);
    op::require_dtype(input, {DType::f32}, "input");
    TensorType output = op::declared_type(declared, DType::f32);
    output.shape = input.shape;
    return {output};
  }
  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> result;
    for (const double value : x[0]) result.push_back(kind_.real(value));
    return {result};
  }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const Argument x = op::data_argument(in, 0, constants);
    Call call = kind_.call(x, elements(out[0].shape));
    call.constants = std::move(constants);
    call.order = op::element_by_element(out[0].shape);
    return call;
  }

 private:
  const Kind& kind_;
};

// Of constants: the functions are not defined for all the numbers that noise is made of.
Sample sample(std::mt19937& random) {
  const Kind& kind = kinds[op::random_integer(random, 0, std::ssize(kinds) - 1)];
  const TensorType type{DType::f32, op::random_shape(random, 0, 5, 5), {}};
  Tensor x{"x", type, {}};
  if (kind.name != "erf" && kind.name != "atan" && kind.name != "asinh") {
    std::vector<float> values(static_cast<size_t>(elements(type.shape)));
    for (float& value : values) value = op::random_real(random, kind.low, kind.high);
    x.data = to_bytes(values);
  }
  return {std::make_shared<RealFunction>(kind), {x}, {type}, 2e-5};
}

}  // namespace

OperatorPtr make_function(std::string_view name) {
  const Kind* const found =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& kind) { return kind.name == name; });
  require(found != std::end(kinds), "internal: no function {}", name);
  return std::make_shared<RealFunction>(*found);
}

namespace op {

extern const OpDef functions{.name = "functions", .tflite = {}, .sample = sample};

}  // namespace op
}  // namespace mote
