// SPDX-License-Identifier: Apache-2.0
// Hard sigmoid, clamp(x / 6 + 1/2, 0, 1), as a custom operator "HardSigmoid": everything the compiler needs to
// know.
#include "user/hard_sigmoid.hpp"

#include "formats/tflite_view.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

double hard_sigmoid_of(double x) { return std::clamp(x / 6.0 + 0.5, 0.0, 1.0); }

class HardSigmoid final : public Operator {
 public:
  std::string name() const override { return "hard_sigmoid"; }
  std::string parameters() const override { return ""; }

  // The shape rule, and what may come in.
  Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    return {output};
  }

  // The mathematics, which generated tests compare the kernels with.
  Reals reference(Inputs, const Types&, const Reals& x) const override {
    std::vector<double> y = x[0];
    for (double& value : y) value = hard_sigmoid_of(value);
    return {y};
  }

  // An output element reads the input element in its place, so that the planner may give both the same memory.
  Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }

  Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const nn::HardSigmoid p{narrow<int32_t>(elements(type.shape))};
    Call call;
    if (type.dtype == DType::f32) {
      call = make_call(nn::hard_sigmoid_f32, "hard_sigmoid_f32", "user/hard_sigmoid.hpp", "HardSigmoid", p,
                       {input(0), output(0)});
    } else {
      call = make_call(nn::hard_sigmoid_s8, "hard_sigmoid_s8", "user/hard_sigmoid.hpp", "HardSigmoid", p,
                       {input(0), constant(0), output(0)});
      call.constants = {{"table", DType::i8, table(type, out[0]), false}};
    }
    call.order = {.dims = static_cast<int>(type.shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  // The output for each of the 256 inputs.
  static Bytes table(const TensorType& in, const TensorType& out) {
    std::vector<int8_t> values;
    for (int q = -128; q < 128; ++q) {
      const double x = static_cast<double>(tensor_scale(in, "input")) * (q - tensor_zero(in, "input"));
      const double y = hard_sigmoid_of(x) / static_cast<double>(tensor_scale(out, "output"));
      values.push_back(static_cast<int8_t>(std::clamp(std::round(y) + tensor_zero(out, "output"), -128.0, 127.0)));
    }
    return to_bytes(values);
  }
};

Made from_tflite(const tflite::OpView&) { return {std::make_shared<HardSigmoid>(), {0}}; }

// One random use of the operator: feeds the generated tests when it is built into Mote.
Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 50) ? DType::i8 : DType::f32;
  const Shape shape = random_shape(random, 1, 4, 6);
  const TensorType in = random_type(random, dtype, shape), out = random_type(random, dtype, shape);
  return {std::make_shared<HardSigmoid>(), {variable(in)}, {out}, dtype == DType::f32 ? 1e-5 : 0.501};
}

}  // namespace

extern const OpDef hard_sigmoid{
    .name = "hard_sigmoid", .tflite = {{"HardSigmoid", from_tflite}}, .sample = sample};

}  // namespace mote::op
