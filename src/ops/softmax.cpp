// SPDX-License-Identifier: Apache-2.0
// Softmax: everything the compiler knows about it.
#include "nn/softmax.hpp"

#include "formats/tflite_view.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr int scaled_difference_bits = 26;  // fraction bits of the exponential's argument, Q5.26

class Softmax final : public Operator {
 public:
  explicit Softmax(float beta) : beta_(beta) {}

  [[nodiscard]] std::string name() const override { return "softmax"; }
  [[nodiscard]] std::string parameters() const override {
    return beta_ == 1.0F ? "" : fmt::format("beta={:g}", beta_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    (void)rows_of(input.shape);
    if (input.dtype == DType::i8) {
      require(tensor_scale(output, "output") == 1.0F / 256 && tensor_zero(output, "output") == -128,
              "has an output with scale {} and zero point {}; an i8 softmax gives 1/256 and -128, convert the "
              "model again",
              tensor_scale(output, "output"), tensor_zero(output, "output"));
      (void)kernel_parameters(input);
    }
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    return reference_by_row(in[0]->type.shape, x[0], [&](std::span<const double> row, std::span<double> out) {
      const double largest = *std::max_element(row.begin(), row.end());
      double sum = 0.0;
      for (const double value : row) sum += std::exp((value - largest) * static_cast<double>(beta_));
      for (size_t i = 0; i < row.size(); ++i) {
        out[i] = std::exp((row[i] - largest) * static_cast<double>(beta_)) / sum;
      }
    });
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    return whole_rows(region, in[0]->type.shape);
  }

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const TensorType& type = in[0]->type;
    const Rows rows = rows_of(type.shape);
    Call call = type.dtype == DType::f32
                    ? make_call(nn::softmax_f32, "softmax_f32", "nn/softmax.hpp", "SoftmaxFloat",
                                nn::SoftmaxFloat{rows.count, rows.depth, beta_}, {input(0), output(0)})
                    : make_call(nn::softmax_s8, "softmax_s8", "nn/softmax.hpp", "Softmax", kernel_parameters(type),
                                {input(0), output(0)});
    call.order = row_by_row(type.shape);
    return call;
  }

 private:
  [[nodiscard]] nn::Softmax kernel_parameters(const TensorType& input) const {
    const Rows rows = rows_of(input.shape);
    const double real = static_cast<double>(beta_) * static_cast<double>(tensor_scale(input, "input")) *
                        static_cast<double>(1 << scaled_difference_bits);
    const FixedMultiplier fixed = quantize_multiplier(std::min(real, 2147483647.0));
    require(fixed.shift >= 0, "has beta * input scale of {}, which is too small; scale the logits up", real);
    // Beyond this the scaled difference would leave Q5.26.
    const double lowest =
        std::floor(31.0 * static_cast<double>(1 << scaled_difference_bits) / std::exp2(fixed.shift));
    return {rows.count, rows.depth, fixed.multiplier, fixed.shift, -static_cast<int32_t>(lowest)};
  }

  float beta_;
};

Made from_tflite(const tflite::OpView& view) {
  const float beta = view.required_options<tflite::schema::SoftmaxOptions>().beta();
  require(beta > 0.0F, "has beta {}, which must be positive", beta);
  return {std::make_shared<Softmax>(beta), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const float beta = chance(random, 70) ? 1.0F : random_real(random, 0.5F, 2.0F);
  TensorType type = random_type(random, dtype, random_shape(random, 1, 4, 6));
  if (chance(random, 2))
    type.shape = {random_integer(random, 500, 1100)};  // where the reciprocal runs out of bits
  Sample sample{std::make_shared<Softmax>(beta), {variable(type)}, {type}, dtype == DType::f32 ? 1e-5 : 0.51};
  if (dtype == DType::i8) sample.out[0].quant = {{1.0F / 256}, {-128}, -1};
  return sample;
}

}  // namespace

extern const OpDef softmax{.name = "softmax", .tflite = {{"SOFTMAX", from_tflite}}, .sample = sample};

}  // namespace mote::op
