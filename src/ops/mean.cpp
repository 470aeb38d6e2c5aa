// SPDX-License-Identifier: Apache-2.0
// Mean over axes: everything the compiler knows about it.
#include "nn/mean.hpp"

#include <bit>
#include <numeric>

#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/reduction.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

// The multiplier that also divides by `count`: the reference divides the fixed-point multiplier, after shifting it
// up as far as it may, and truncates.
FixedMultiplier divided(FixedMultiplier fixed, int64_t count) {
  const int shift =
      std::min({static_cast<int>(std::bit_width(static_cast<uint64_t>(count))) - 1, 32, 31 + fixed.shift});
  return {static_cast<int32_t>((int64_t{fixed.multiplier} << shift) / count), fixed.shift - shift};
}

class Mean final : public Reduction {
 public:
  using Reduction::Reduction;

  [[nodiscard]] std::string name() const override { return "mean"; }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    Call call = type.dtype == DType::f32 ? make_call(nn::mean_f32, "mean_f32", "nn/mean.hpp", "MeanFloat",
                                                     float_parameters(type), {input(0), output(0)})
                                         : make_call(nn::mean_s8, "mean_s8", "nn/mean.hpp", "Mean",
                                                     parameters_of(type, out[0]), {input(0), output(0)});
    call.order = order(out[0]);
    return call;
  }

 protected:
  [[nodiscard]] double folded_value(const std::vector<double>& elements) const override {
    return std::accumulate(elements.begin(), elements.end(), 0.0) / static_cast<double>(elements.size());
  }

 private:
  [[nodiscard]] nn::Mean parameters_of(const TensorType& in, const TensorType& out) const {
    const int64_t count = folded_count(in.shape);
    const double ratio =
        static_cast<double>(tensor_scale(in, "input")) / static_cast<double>(tensor_scale(out, "output"));
    const FixedMultiplier fixed = divided(quantize_multiplier(ratio), count);
    return {loops(in.shape), narrow<int32_t>(tensor_zero(in, "input") * count), fixed.multiplier, fixed.shift,
            tensor_zero(out, "output")};
  }

  [[nodiscard]] nn::MeanFloat float_parameters(const TensorType& in) const {
    return {loops(in.shape), static_cast<float>(folded_count(in.shape))};
  }
};

Made from_tflite(const tflite::OpView& view) { return {std::make_shared<Mean>(reduction_from_tflite(view)), {0}}; }

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const TensorType type = random_type(random, dtype, random_shape(random, 1, 6, 5));
  const Reduction::Parameters parameters = random_reduction(random, type.shape);
  const TensorType out = random_type(random, dtype, reduced(type.shape, parameters));
  Sample sample{std::make_shared<Mean>(parameters), {variable(type)}, {out}, 0.76};
  if (dtype == DType::f32) sample.tolerance = 1e-3;  // a mean may cancel to nearly nothing
  return sample;
}

}  // namespace

extern const OpDef mean{.name = "mean", .tflite = {{"MEAN", from_tflite}}, .sample = sample};

}  // namespace mote::op
