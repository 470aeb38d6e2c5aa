// SPDX-License-Identifier: Apache-2.0
// Maximum and minimum over axes: everything the compiler knows about them.
#include "nn/reduce_max.hpp"

#include "ops/checks.hpp"
#include "ops/reduction.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

class ReduceMax final : public Reduction {
 public:
  ReduceMax(Parameters parameters, bool minimum) : Reduction(std::move(parameters)), minimum_(minimum) {}

  [[nodiscard]] std::string name() const override { return minimum_ ? "reduce_min" : "reduce_max"; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    Types out = Reduction::infer(in, declared);
    if (out[0].dtype == DType::i8) require_same_quantization(in[0]->type, out[0]);
    return out;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const auto call_of = [&](auto kernel, std::string suffix) {
      return make_call(kernel, name() + suffix, "nn/reduce_max.hpp", "Reduce", loops(in[0]->type.shape),
                       {input(0), output(0)});
    };
    Call call = in[0]->type.dtype == DType::f32
                    ? call_of(minimum_ ? nn::reduce_min_f32 : nn::reduce_max_f32, "_f32")
                    : call_of(minimum_ ? nn::reduce_min_s8 : nn::reduce_max_s8, "_s8");
    call.order = order(out[0]);
    return call;
  }

 protected:
  [[nodiscard]] double folded_value(const std::vector<double>& elements) const override {
    return minimum_ ? *std::min_element(elements.begin(), elements.end())
                    : *std::max_element(elements.begin(), elements.end());
  }

 private:
  bool minimum_;
};

Made make(const tflite::OpView& view, bool minimum) {
  return {std::make_shared<ReduceMax>(reduction_from_tflite(view), minimum), {0}};
}
Made max_from_tflite(const tflite::OpView& view) { return make(view, false); }
Made min_from_tflite(const tflite::OpView& view) { return make(view, true); }

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const TensorType type = random_type(random, dtype, random_shape(random, 1, 6, 5));
  const Reduction::Parameters parameters = random_reduction(random, type.shape);
  const TensorType out = reshaped(type, reduced(type.shape, parameters));
  Sample sample{std::make_shared<ReduceMax>(parameters, chance(random, 50)), {variable(type)}, {out}, 0.0};
  if (dtype == DType::i8) sample.tolerance = 1e-9;  // the reference goes through real numbers
  return sample;
}

}  // namespace

extern const OpDef reduce_max{.name = "reduce_max",
                              .tflite = {{"REDUCE_MAX", max_from_tflite}, {"REDUCE_MIN", min_from_tflite}},
                              .sample = sample};

}  // namespace mote::op
