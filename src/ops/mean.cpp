// SPDX-License-Identifier: Apache-2.0
// Mean, sum and product over axes: everything the compiler knows about them.
#include "nn/mean.hpp"

#include <bit>
#include <functional>
#include <numeric>

#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/reduction.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/sum_rows.hpp"

namespace mote::op {

namespace {

// The multiplier that also divides by `count`: the reference divides the fixed-point multiplier, after shifting it
// up as far as it may, and truncates.
FixedMultiplier divided(FixedMultiplier fixed, int64_t count) {
  const int shift =
      std::min({static_cast<int>(std::bit_width(static_cast<uint64_t>(count))) - 1, 32, 31 + fixed.shift});
  return {static_cast<int32_t>((int64_t{fixed.multiplier} << shift) / count), fixed.shift - shift};
}

enum class Kind { mean, sum, product };

class Mean final : public Reduction, public FoldsRows {
 public:
  Mean(Parameters parameters, Kind kind) : Reduction(std::move(parameters)), kind_(kind) {}

  [[nodiscard]] std::string name() const override {
    switch (kind_) {
      case Kind::mean: return "mean";
      case Kind::sum: return "sum";
      case Kind::product: return "product";
    }
    fail("internal: unknown reduction");
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    Call call;
    if (type.dtype == DType::f32 && kind_ == Kind::mean) {
      const nn::MeanFloat params{loops(type.shape), static_cast<float>(folded_count(type.shape))};
      call = make_call(nn::mean_f32, "mean_f32", header, "MeanFloat", params, {input(0), output(0)});
    } else if (type.dtype == DType::f32 || type.dtype == DType::i32 || type.dtype == DType::i64) {
      call = plain_call(type);
    } else {
      call = rescaled_call(type, out[0]);
    }
    call.order = order(out[0]);
    return call;
  }

  // A mean over rows and what follows them, channels stay.
  [[nodiscard]] std::optional<Parts> parts(Inputs in, const Types& out) const override {
    const TensorType& type = in[0]->type;
    const size_t first_kept = folded_to(type.shape);
    if (kind_ != Kind::mean || first_kept == 0) return std::nullopt;
    if (type.dtype == DType::f32)
      return in_sums(type, first_kept, make_average_of_sums(folded_count(type.shape), Activation::none));
    const Rescale rescale = rescale_of(type, out[0]);
    return in_sums(type, first_kept,
                   make_rescaled_sums(rescale.offset, rescale.fixed, tensor_zero(out[0], "output"),
                                      activation_range(Activation::none, out[0])));
  }

  // LiteRT's reference does not compute sums of i8 as TensorFlow Lite Micro does: they stay real.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return kind_ == Kind::mean ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt;
  }

 protected:
  [[nodiscard]] tflite::schema::BuiltinOperator code() const override {
    using tflite::schema::BuiltinOperator;
    return kind_ == Kind::mean  ? BuiltinOperator::MEAN
           : kind_ == Kind::sum ? BuiltinOperator::SUM
                                : BuiltinOperator::REDUCE_PROD;
  }
  [[nodiscard]] std::vector<DType> dtypes() const override {
    switch (kind_) {
      case Kind::mean: return {DType::i8, DType::u8, DType::i16, DType::f32};
      case Kind::sum: return {DType::i8, DType::u8, DType::i16, DType::f32, DType::i32, DType::i64};
      case Kind::product: return {DType::f32, DType::i32, DType::i64};
    }
    fail("internal: unknown reduction");
  }

  [[nodiscard]] double folded_value(const std::vector<double>& elements) const override {
    if (kind_ == Kind::product) return std::accumulate(elements.begin(), elements.end(), 1.0, std::multiplies<>());
    const double sum = std::accumulate(elements.begin(), elements.end(), 0.0);
    return kind_ == Kind::mean ? sum / static_cast<double>(elements.size()) : sum;
  }

 private:
  static constexpr const char* header = "nn/mean.hpp";

  [[nodiscard]] Call plain_call(const TensorType& type) const {
    const auto call_of = [&](auto sum, auto product, const char* suffix) {
      return make_call(kind_ == Kind::sum ? sum : product, name() + suffix, header, "Reduce", loops(type.shape),
                       {input(0), output(0)});
    };
    return type.dtype == DType::f32   ? call_of(nn::sum_f32, nn::product_f32, "_f32")
           : type.dtype == DType::i32 ? call_of(nn::sum_s32, nn::product_s32, "_s32")
                                      : call_of(nn::sum_s64, nn::product_s64, "_s64");
  }

  struct Rescale {
    int32_t offset = 0;
    FixedMultiplier fixed;
  };

  [[nodiscard]] Rescale rescale_of(const TensorType& in, const TensorType& out) const {
    const int64_t count = folded_count(in.shape);
    const double ratio =
        static_cast<double>(tensor_scale(in, "input")) / static_cast<double>(tensor_scale(out, "output"));
    const FixedMultiplier fixed = quantize_multiplier(ratio);
    return {narrow<int32_t>(tensor_zero(in, "input") * count),
            kind_ == Kind::mean ? divided(fixed, count) : fixed};
  }

  [[nodiscard]] Call rescaled_call(const TensorType& in, const TensorType& out) const {
    const auto [offset, fixed] = rescale_of(in, out);
    const IntegerRange range = activation_range(Activation::none, out);
    const nn::RescaledSum params{
        loops(in.shape), offset, fixed.multiplier, fixed.shift, tensor_zero(out, "output"), range.low, range.high};
    const auto call_of = [&](auto kernel, const char* function) {
      return make_call(kernel, function, header, "RescaledSum", params, {input(0), output(0)});
    };
    if (in.dtype == DType::i16) return call_of(nn::rescaled_sum_s16, "rescaled_sum_s16");
    if (in.dtype == DType::u8) return call_of(nn::rescaled_sum_u8, "rescaled_sum_u8");
    return call_of(nn::rescaled_sum_s8, "rescaled_sum_s8");
  }

  Kind kind_;
};

template <Kind kind>
Made from_tflite(const tflite::OpView& view) {
  return {std::make_shared<Mean>(reduction_from_tflite(view), kind), {0}};
}

Sample sample(std::mt19937& random) {
  const Kind kind = chance(random, 50) ? Kind::mean : chance(random, 70) ? Kind::sum : Kind::product;
  const DType quantized[] = {DType::i8, DType::i8, DType::u8, DType::i16};
  const DType dtype =
      kind == Kind::product || chance(random, 30) ? DType::f32 : quantized[random_integer(random, 0, 3)];
  const int64_t largest = kind == Kind::product ? 2 : 5;  // products of many elements leave the range of floats
  const TensorType type =
      random_type(random, dtype, random_shape(random, 1, kind == Kind::product ? 4 : 6, largest));
  const Reduction::Parameters parameters = random_reduction(random, type.shape);
  const TensorType out = random_type(random, dtype, reduced(type.shape, parameters));
  Sample sample{std::make_shared<Mean>(parameters, kind), {variable(type)}, {out}, 0.76};
  if (dtype == DType::f32) sample.tolerance = 1e-3;  // a mean may cancel to nearly nothing
  return sample;
}

}  // namespace

extern const OpDef mean{.name = "mean",
                        .tflite = {{"MEAN", from_tflite<Kind::mean>},
                                   {"SUM", from_tflite<Kind::sum>},
                                   {"REDUCE_PROD", from_tflite<Kind::product>}},
                        .sample = sample};

}  // namespace mote::op
