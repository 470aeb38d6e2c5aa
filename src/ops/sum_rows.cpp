// SPDX-License-Identifier: Apache-2.0
#include "ops/sum_rows.hpp"

#include "nn/sum_rows.hpp"
#include "ops/checks.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/sum_rows.hpp";

int64_t product(const Shape& shape, size_t first, size_t end) {
  int64_t result = 1;
  for (size_t d = first; d < end; ++d) result *= shape[d];
  return result;
}

class SumRows final : public Operator, public WorksInRows {
 public:
  SumRows(size_t first_kept, int64_t first_row) : first_kept_(first_kept), first_row_(first_row) {}

  [[nodiscard]] std::string name() const override { return "sum_rows"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("axes=1-{} first={}", first_kept_ - 1, first_row_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::u8, DType::i16, DType::f32}, "input");
    TensorType output = declared_type(declared, input.dtype == DType::f32 ? DType::f32 : DType::i32);
    output.shape = {1, product(input.shape, first_kept_, input.shape.size())};
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs, const Types& out, const Reals& x) const override {
    std::vector<double> sums(static_cast<size_t>(out[0].shape[1]));
    for (size_t i = 0; i < x[0].size(); ++i) sums[i % sums.size()] += x[0][i];
    return {sums};
  }

  [[nodiscard]] bool folds() const override { return true; }
  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs, const Types&) const override {
    return std::make_shared<SumRows>(first_kept_, strip.out.low);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& shape = in[0]->type.shape;
    const nn::SumRows params{narrow<int32_t>(first_row_), narrow<int32_t>(shape[1]),
                             narrow<int32_t>(product(shape, 2, first_kept_)), narrow<int32_t>(out[0].shape[1])};
    const auto call_of = [&](auto kernel, const char* function) {
      return make_call(kernel, function, header, "SumRows", params, {input(0), output(0)});
    };
    const DType dtype = in[0]->type.dtype;
    if (dtype == DType::f32) return call_of(nn::sum_rows_f32, "sum_rows_f32");
    if (dtype == DType::i16) return call_of(nn::sum_rows_s16, "sum_rows_s16");
    if (dtype == DType::u8) return call_of(nn::sum_rows_u8, "sum_rows_u8");
    return call_of(nn::sum_rows_s8, "sum_rows_s8");
  }

 private:
  size_t first_kept_;
  int64_t first_row_;  // 0 unless it is a strip
};

// What makes an output of the sums.
class OfSums : public Operator {
 public:
  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& sums = one_input(in);
    require_dtype(sums, {DType::i32, DType::f32}, "input");
    require(declared.size() == 1 && elements(declared[0].shape) == elements(sums.shape),
            "makes an output of {} sums", elements(sums.shape));
    return declared;
  }
};

class RescaledSums final : public OfSums {
 public:
  RescaledSums(int32_t offset, const FixedMultiplier& fixed, int32_t zero, const IntegerRange& range)
      : offset_(offset), fixed_(fixed), zero_(zero), range_(range) {}

  [[nodiscard]] std::string name() const override { return "rescaled_sums"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("multiplier={} shift={}", fixed_.multiplier, fixed_.shift);
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    Reals y{x[0]};
    const double factor = std::ldexp(static_cast<double>(fixed_.multiplier), fixed_.shift - 31) *
                          static_cast<double>(tensor_scale(out[0], "output")) /
                          static_cast<double>(tensor_scale(in[0]->type, "input"));
    for (double& value : y[0]) value *= factor;
    return y;
  }

  [[nodiscard]] Call lower(Inputs, const Types& out) const override {
    const nn::RescaledSums params{narrow<int32_t>(elements(out[0].shape)),
                                  offset_,
                                  fixed_.multiplier,
                                  fixed_.shift,
                                  zero_,
                                  range_.low,
                                  range_.high};
    const auto call_of = [&](auto kernel, const char* function) {
      return make_call(kernel, function, header, "RescaledSums", params, {input(0), output(0)});
    };
    if (out[0].dtype == DType::i16) return call_of(nn::rescaled_sums_s16, "rescaled_sums_s16");
    if (out[0].dtype == DType::u8) return call_of(nn::rescaled_sums_u8, "rescaled_sums_u8");
    return call_of(nn::rescaled_sums_s8, "rescaled_sums_s8");
  }

 private:
  int32_t offset_;
  FixedMultiplier fixed_;
  int32_t zero_;
  IntegerRange range_;
};

class AverageOfSums final : public OfSums {
 public:
  AverageOfSums(int64_t count, Activation activation) : count_(count), activation_(activation) {}

  [[nodiscard]] std::string name() const override { return "average_of_sums"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("count={} activation={}", count_, mote::name(activation_));
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    Reals y{x[0]};
    for (double& value : y[0]) value = apply(activation_, value / static_cast<double>(count_));
    return y;
  }

  [[nodiscard]] Call lower(Inputs, const Types& out) const override {
    const auto channels = narrow<int32_t>(elements(out[0].shape));
    const auto count = narrow<int32_t>(count_);
    if (out[0].dtype == DType::f32) {
      const FloatRange range = activation_range(activation_);
      const nn::AverageFloat params{channels, count, range.low, range.high};
      return make_call(nn::average_of_sums_f32, "average_of_sums_f32", header, "AverageFloat", params,
                       {input(0), output(0)});
    }
    const IntegerRange range = activation_range(activation_, out[0]);
    const nn::Average params{channels, count, range.low, range.high};
    const auto call_of = [&](auto kernel, const char* function) {
      return make_call(kernel, function, header, "Average", params, {input(0), output(0)});
    };
    if (out[0].dtype == DType::i16) return call_of(nn::average_of_sums_s16, "average_of_sums_s16");
    return call_of(nn::average_of_sums_s8, "average_of_sums_s8");
  }

 private:
  int64_t count_;
  Activation activation_;
};

}  // namespace

std::optional<FoldsRows::Parts> in_sums(const TensorType& in, size_t first_kept, const OperatorPtr& finish) {
  if (first_kept < 2 || in.shape.size() < 3 || in.shape[0] != 1 || in.shape[1] < 2) return std::nullopt;
  const auto op = std::make_shared<SumRows>(first_kept, 0);
  const Tensor input{"", in, {}};
  const Tensor* const inputs[] = {&input};
  TensorType sums = op->infer(inputs, {{in.dtype == DType::f32 ? DType::f32 : DType::i32, {}, {}}})[0];
  if (in.quant.scale.size() == 1) {
    const int64_t count = product(in.shape, 1, first_kept);
    sums.quant = in.quant;
    sums.quant.zero[0] = narrow<int32_t>(count * in.quant.zero[0]);
  }
  return FoldsRows::Parts{op, sums, finish};
}

OperatorPtr make_rescaled_sums(int32_t offset, const FixedMultiplier& fixed, int32_t zero,
                               const IntegerRange& range) {
  return std::make_shared<RescaledSums>(offset, fixed, zero, range);
}

OperatorPtr make_average_of_sums(int64_t count, Activation activation) {
  return std::make_shared<AverageOfSums>(count, activation);
}

}  // namespace mote::op
