// SPDX-License-Identifier: Apache-2.0
// Running sums along an axis: everything the compiler knows about them.
#include "nn/cumsum.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

class Cumsum final : public Operator {
 public:
  Cumsum(size_t axis, bool exclusive, bool reverse) : axis_(axis), exclusive_(exclusive), reverse_(reverse) {}

  [[nodiscard]] std::string name() const override { return "cumsum"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("axis={}{}{}", axis_, exclusive_ ? " exclusive" : "", reverse_ ? " reverse" : "");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require_dtype(input, {DType::f32, DType::i32, DType::i64, DType::i8}, "input");
    require(axis_ < input.shape.size(), "sums along axis {} of {}", axis_, to_text(input.shape));
    TensorType output = declared_type(declared, input.dtype);
    output.shape = input.shape;
    if (input.dtype == DType::i8) {
      // The reference begins each sum with the zero point, which is no sum.
      require(tensor_zero(input, "input") == 0,
              "sums codes with zero point {}, which TensorFlow Lite Micro's kernel adds to each sum; quantise the "
              "input "
              "with zero point 0",
              tensor_zero(input, "input"));
      require(multiplier(input, output).shift <= 0, "has an output scale of {}, too small for its input",
              tensor_scale(output, "output"));
    }
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const nn::Cumsum p = params(in);
    std::vector<double> result(x[0].size());
    for (size_t i = 0; i < result.size(); ++i) {
      const auto inner = static_cast<size_t>(p.inner), extent = static_cast<size_t>(p.extent);
      const size_t k = i / inner % extent, begin = i - k * inner;
      for (size_t other = 0; other < extent; ++other) {
        const bool before = reverse_ ? other > k : other < k;
        if (before || (other == k && !exclusive_)) result[i] += x[0][begin + other * inner];
      }
    }
    return {result};
  }

  void to_tflite(tflite::NodeWriter& file, Inputs, const Types&) const override {
    tflite::schema::CumsumOptionsT options;
    options.exclusive = exclusive_;
    options.reverse = reverse_;
    file.add(tflite::schema::BuiltinOperator::CUMSUM, 1,
             {file.input(0), file.integer("axis", static_cast<int64_t>(axis_))}, file.outputs(), options);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    if (in[0]->type.dtype == DType::i8) {
      const FixedMultiplier fixed = multiplier(in[0]->type, out[0]);
      const nn::QuantizedCumsum p{params(in), fixed.multiplier, fixed.shift, tensor_zero(out[0], "output")};
      return make_call(nn::cumsum_s8, "cumsum_s8", "nn/cumsum.hpp", "QuantizedCumsum", p, {input(0), output(0)});
    }
    const auto call_of = [&](auto kernel, const char* function) {
      return make_call(kernel, function, "nn/cumsum.hpp", "Cumsum", params(in), {input(0), output(0)});
    };
    const DType dtype = in[0]->type.dtype;
    return dtype == DType::f32   ? call_of(nn::cumsum_f32, "cumsum_f32")
           : dtype == DType::i64 ? call_of(nn::cumsum_s64, "cumsum_s64")
                                 : call_of(nn::cumsum_s32, "cumsum_s32");
  }

 private:
  [[nodiscard]] static FixedMultiplier multiplier(const TensorType& in, const TensorType& out) {
    const double twice = 2 * static_cast<double>(tensor_scale(in, "input"));
    return quantize_multiplier(twice / ((1 << 20) * static_cast<double>(tensor_scale(out, "output"))));
  }

  [[nodiscard]] nn::Cumsum params(Inputs in) const {
    const Shape& shape = in[0]->type.shape;
    const auto axis = shape.begin() + static_cast<std::ptrdiff_t>(axis_);
    return {narrow<int32_t>(elements(Shape(shape.begin(), axis))), narrow<int32_t>(*axis),
            narrow<int32_t>(elements(Shape(axis + 1, shape.end()))), exclusive_, reverse_};
  }

  size_t axis_;
  bool exclusive_, reverse_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::CumsumOptions>();
  const size_t axis = dimension(one_integer(view, 1, "axis"), file_shape(view).size());
  return {std::make_shared<Cumsum>(axis, options.exclusive(), options.reverse()), {0}};
}

// Whole numbers are left to tests against other implementations: the reference in double does not wrap.
Sample sample(std::mt19937& random) {
  TensorType type =
      random_type(random, chance(random, 50) ? DType::i8 : DType::f32, random_shape(random, 1, 4, 5));
  TensorType out = type;
  if (type.dtype == DType::i8) type.quant.zero = {0}, out.quant = random_quantization(random, DType::i8);
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(type.shape) - 1));
  return {std::make_shared<Cumsum>(axis, chance(random, 50), chance(random, 50)),
          {variable(type)},
          {out},
          type.dtype == DType::i8 ? 0.76 : 1e-4};
}

}  // namespace

extern const OpDef cumsum{.name = "cumsum", .tflite = {{"CUMSUM", from_tflite}}, .sample = sample};

}  // namespace mote::op
