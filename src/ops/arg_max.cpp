// SPDX-License-Identifier: Apache-2.0
// The place of the largest or smallest element along an axis: everything the compiler knows about it.
#include "nn/arg_max.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

class ArgMax final : public Operator {
 public:
  ArgMax(size_t axis, bool minimum, DType index) : axis_(axis), minimum_(minimum), index_(index) {}

  [[nodiscard]] std::string name() const override { return minimum_ ? "arg_min" : "arg_max"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("axis={}", axis_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::i8, DType::u8, DType::i16, DType::i32, DType::f32}, "input");
    require(axis_ < input.shape.size(), "compares along axis {} of {}", axis_, to_text(input.shape));
    TensorType output = declared_type(declared, index_);
    output.shape = input.shape;
    output.shape.erase(output.shape.begin() + static_cast<std::ptrdiff_t>(axis_));
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const nn::ArgMax p = params(in);
    std::vector<double> result;
    for (int32_t i = 0; i < p.outer * p.inner; ++i) {
      std::vector<double> line;
      for (int32_t k = 0; k < p.extent; ++k) {
        const double value = x[0][static_cast<size_t>((i / p.inner * p.extent + k) * p.inner + i % p.inner)];
        line.push_back(minimum_ ? -value : value);
      }
      result.push_back(static_cast<double>(std::max_element(line.begin(), line.end()) - line.begin()));
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    Region needed = whole(in[0]->type.shape);
    for (size_t d = 0; d < static_cast<size_t>(needed.rank); ++d) {
      if (d != axis_) needed.dims[d] = region.dims[d < axis_ ? d : d - 1];
    }
    return needed;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call = index_ == DType::i64 ? call_of<int64_t>(in) : call_of<int32_t>(in);
    call.order = element_by_element(out[0]);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    using tflite::schema::BuiltinOperator;
    const int axis = file.integer("axis", static_cast<int64_t>(axis_));
    const int version = tflite::usual_version(in[0]->type.dtype);
    if (minimum_) {
      tflite::schema::ArgMinOptionsT options;
      options.output_type = tflite::file_type(index_);
      file.add(BuiltinOperator::ARG_MIN, version, {file.input(0), axis}, file.outputs(), options);
    } else {
      tflite::schema::ArgMaxOptionsT options;
      options.output_type = tflite::file_type(index_);
      file.add(BuiltinOperator::ARG_MAX, version, {file.input(0), axis}, file.outputs(), options);
    }
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm{}) : std::nullopt;
  }

 private:
  [[nodiscard]] nn::ArgMax params(Inputs in) const {
    const Shape& shape = in[0]->type.shape;
    const auto axis = shape.begin() + static_cast<std::ptrdiff_t>(axis_);
    return {narrow<int32_t>(elements(Shape(shape.begin(), axis))), narrow<int32_t>(*axis),
            narrow<int32_t>(elements(Shape(axis + 1, shape.end()))), minimum_};
  }

  template <class I>
  [[nodiscard]] Call call_of(Inputs in) const {
    switch (in[0]->type.dtype) {
      case DType::u8: return call_for<uint8_t, I>(in);
      case DType::i16: return call_for<int16_t, I>(in);
      case DType::i32: return call_for<int32_t, I>(in);
      case DType::f32: return call_for<float, I>(in);
      default: return call_for<int8_t, I>(in);  // infer() lets nothing else through
    }
  }

  template <class T, class I>
  [[nodiscard]] Call call_for(Inputs in) const {
    const std::string function =
        fmt::format("arg_max<{}, {}>", detail::element_type<T>(), detail::element_type<I>());
    return make_call(nn::arg_max<T, I>, function, "nn/arg_max.hpp", "ArgMax", params(in), {input(0), output(0)});
  }

  size_t axis_;
  bool minimum_;
  DType index_;
};

template <bool minimum>
Made from_tflite(const tflite::OpView& view) {
  require(view.outputs.size() == 1, "has {} outputs, it gives 1", view.outputs.size());
  const DType index = view.outputs[0]->type.dtype;
  require(index == DType::i32 || index == DType::i64, "gives indices of type {}; convert the model with i32",
          name(index));
  const size_t axis = dimension(one_integer(view, 1, "axis"), file_shape(view).size());
  return {std::make_shared<ArgMax>(axis, minimum, index), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::u8, DType::i16, DType::f32};
  const TensorType in = random_type(random, dtypes[random_integer(random, 0, 3)], random_shape(random, 1, 4, 5));
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(in.shape) - 1));
  const DType index = chance(random, 50) ? DType::i32 : DType::i64;
  TensorType out{index, in.shape, {}};
  out.shape.erase(out.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return {std::make_shared<ArgMax>(axis, chance(random, 50), index), {variable(in)}, {out}, 0.0};
}

}  // namespace

extern const OpDef arg_max{.name = "arg_max",
                           .tflite = {{"ARG_MAX", from_tflite<false>}, {"ARG_MIN", from_tflite<true>}},
                           .sample = sample};

}  // namespace mote::op
