// SPDX-License-Identifier: Apache-2.0
// Softmax: everything the compiler knows about it.
#include "nn/softmax.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ir/classifier.hpp"
#include "ir/rows.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/rows.hpp"
#include "ops/sampling.hpp"
#include "ops/scaled_differences.hpp"

namespace mote::op {

namespace {

// What nn::interpolate reads: `function` at 513 places from `low` to `high`, in steps of 1/32768. A sample is
// moved by half the error that the straight line to the next one has in the middle. In float, as the reference has
// it.
std::vector<int16_t> samples_of(float (*function)(float), float low, float high) {
  const float step = (high - low) / 512;
  const auto value = [&](float x) { return function(x) * 32768.0F; };
  std::vector<int16_t> samples;
  for (int i = 0; i < 512; ++i) {
    const float x = low + static_cast<float>(i) * step;
    const float sample = std::round(value(x));
    const float between = std::round((value(low + static_cast<float>(i + 1) * step) + sample) / 2);
    const float error = between - std::round(value(x + step / 2));
    samples.push_back(static_cast<int16_t>(std::clamp(sample - std::round(error / 2), -32768.0F, 32767.0F)));
  }
  samples.push_back(static_cast<int16_t>(std::clamp(std::round(value(high)), -32768.0F, 32767.0F)));
  return samples;
}

// From so many elements on a kilobyte of exponentials is worth its bytes: one takes some 150 instructions.
constexpr int64_t least_looked_up = 128;

class Softmax final : public Operator, public WorksInRows, public ClassifierPart {
 public:
  explicit Softmax(float beta) : beta_(beta) {}

  [[nodiscard]] std::string name() const override { return "softmax"; }
  [[nodiscard]] ClassifierRole classifier_role() const override {
    return beta_ == 1.0F ? ClassifierRole::probabilities : ClassifierRole::other;
  }
  [[nodiscard]] std::string parameters() const override {
    return beta_ == 1.0F ? "" : fmt::format("beta={:g}", beta_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::i16, DType::f32}, "input");
    const bool widens = input.dtype == DType::i8 && declared.size() == 1 && declared[0].dtype == DType::i16;
    TensorType output = declared_type(declared, widens ? DType::i16 : input.dtype);
    output.shape = input.shape;
    (void)rows_of(input.shape);
    if (input.dtype == DType::i8) {
      check_output(output, widens ? 1.0F / 65536 : 1.0F / 256, widens ? -32768 : -128);
      (void)kernel_parameters(input);
    } else if (input.dtype == DType::i16) {
      check_output(output, 1.0F / 32768, 0);
      (void)kernel_parameters16(input);
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
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs in, const Types&) const override {
    return in[0]->type.shape.size() > 2 ? std::make_shared<Softmax>(*this) : nullptr;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override { return lower_for({}, in, out); }
  [[nodiscard]] Call lower_for(const Core& core, Inputs in, const Types& out) const override {
    Call call = call_for(core, in[0]->type, out[0].dtype);
    call.order = row_by_row(in[0]->type.shape);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    tflite::schema::SoftmaxOptionsT options;
    options.beta = beta_;
    file.add(tflite::schema::BuiltinOperator::SOFTMAX, tflite::usual_version(in[0]->type.dtype), options);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i16 ? IntegerForm::fixed(1.0F / 32768, 0) : IntegerForm::fixed(1.0F / 256, -128);
  }

 private:
  static void check_output(const TensorType& output, float scale, int32_t zero) {
    const float stated = tensor_scale(output, "output");
    require(std::abs(stated - scale) <= 1e-3F * scale && tensor_zero(output, "output") == zero,
            "has an output with scale {} and zero point {}; an {} softmax gives 1/{} and {}, convert the "
            "model again",
            stated, tensor_zero(output, "output"), mote::name(output.dtype), 1.0F / scale, zero);
  }

  [[nodiscard]] Call call_for(const Core& core, const TensorType& in, DType out) const {
    const char* const header = "nn/softmax.hpp";
    const std::vector<Argument> arguments{input(0), output(0)};
    if (in.dtype == DType::f32) {
      const Rows rows = rows_of(in.shape);
      return make_call(nn::softmax_f32, "softmax_f32", header, "SoftmaxFloat",
                       nn::SoftmaxFloat{rows.count, rows.depth, beta_}, arguments);
    }
    if (in.dtype == DType::i16) return call16(in);
    if (!core.compact && elements(in.shape) >= least_looked_up) return looked_up(in, out);
    return out == DType::i16
               ? make_call(nn::softmax_s8_s16, "softmax_s8_s16", header, "Softmax", kernel_parameters(in),
                           arguments)
               : make_call(nn::softmax_s8, "softmax_s8", header, "Softmax", kernel_parameters(in), arguments);
  }

  // The kernel's exponentials, computed here.
  [[nodiscard]] Call looked_up(const TensorType& in, DType out) const {
    const nn::Softmax p = kernel_parameters(in);
    std::vector<int32_t> exponentials;
    for (int32_t difference = 0; difference >= std::max(p.lowest_difference, -255); --difference) {
      exponentials.push_back(
          nn::exp_on_negative_values(nn::multiply_fractions(difference * (1 << p.shift), p.multiplier)));
    }
    const auto make = [&](auto kernel, const char* function) {
      return make_call(kernel, function, "nn/softmax.hpp", "Softmax", p, {input(0), constant(0), output(0)});
    };
    Call call = out == DType::i16 ? make(nn::softmax_lookup_s8_s16, "softmax_lookup_s8_s16")
                                  : make(nn::softmax_lookup_s8, "softmax_lookup_s8");
    call.constants = {{"exponentials", DType::i32, to_bytes(exponentials), false}};
    return call;
  }

  [[nodiscard]] Call call16(const TensorType& in) const {
    Call call = make_call(nn::softmax_s16, "softmax_s16", "nn/softmax.hpp", "Softmax16", kernel_parameters16(in),
                          {input(0), constant(0), constant(1), output(0)});
    const auto table = [](std::string name, float (*function)(float), float low, float high) {
      return Constant{std::move(name), DType::i16, to_bytes(samples_of(function, low, high)), false};
    };
    call.constants = {table(
                          "exponential", [](float x) { return std::exp(x); }, -10.0F, 0.0F),
                      table(
                          "reciprocal", [](float x) { return 1.0F / (1.0F + x); }, 0.0F, 1.0F)};
    return call;
  }

  [[nodiscard]] nn::Softmax16 kernel_parameters16(const TensorType& input) const {
    const Rows rows = rows_of(input.shape);
    require(rows.depth <= 65536, "has rows of {} elements; the sums of i16 hold 65536", rows.depth);
    const double real =
        static_cast<double>(tensor_scale(input, "input")) * static_cast<double>(beta_) / (10.0 / 65535.0);
    const FixedMultiplier fixed = quantize_multiplier(real);
    // A difference of 16 bits, shifted, must fit 32.
    require(fixed.shift <= 14, "has beta * input scale of {}, which is too large; scale the logits down", real);
    return {rows.count, rows.depth, fixed.multiplier, fixed.shift};
  }

  [[nodiscard]] nn::Softmax kernel_parameters(const TensorType& input) const {
    const Rows rows = rows_of(input.shape);
    const ScaledDifferences scaled =
        scaled_differences(static_cast<double>(beta_) * static_cast<double>(tensor_scale(input, "input")));
    return {rows.count, rows.depth, scaled.fixed.multiplier, scaled.fixed.shift, scaled.lowest};
  }

  float beta_;
};

Made from_tflite(const tflite::OpView& view) {
  const float beta = view.required_options<tflite::schema::SoftmaxOptions>().beta();
  require(beta > 0.0F, "has beta {}, which must be positive", beta);
  return {std::make_shared<Softmax>(beta), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::i16, DType::f32};
  const DType dtype = dtypes[random_integer(random, 0, 3)];
  const float beta = chance(random, 70) ? 1.0F : random_real(random, 0.5F, 2.0F);
  TensorType type = random_type(random, dtype, random_shape(random, 1, 4, 6));
  if (chance(random, 2))
    type.shape = {random_integer(random, 500, 1100)};  // where the reciprocal runs out of bits
  if (dtype == DType::i16) type.quant.scale[0] /= 256;
  Sample sample{std::make_shared<Softmax>(beta), {variable(type)}, {type}, dtype == DType::f32 ? 1e-5 : 0.51};
  if (dtype == DType::i8) sample.out[0].quant = {{1.0F / 256}, {-128}, -1};
  if (dtype == DType::i8 && chance(random, 40)) {
    sample.out[0] = {DType::i16, type.shape, {{1.0F / 65536}, {-32768}, -1}};
    sample.tolerance = 2.0;
  }
  if (dtype == DType::i16) {
    sample.out[0].quant = {{1.0F / 32768}, {0}, -1};
    // Elements below e^-10 count as that, up to one and a half steps each, at the cost of the others.
    sample.tolerance = 16.0 + 1.5 * static_cast<double>(type.shape.back());
  }
  return sample;
}

}  // namespace

extern const OpDef softmax{.name = "softmax", .tflite = {{"SOFTMAX", from_tflite}}, .sample = sample};

}  // namespace mote::op
