// SPDX-License-Identifier: Apache-2.0
// One-hot vectors: everything the compiler knows about them.
#include "nn/one_hot.hpp"

#include "ops/axes.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Inputs: indices, on value, off value.
class OneHot final : public Operator {
 public:
  OneHot(size_t axis, int64_t depth) : axis_(axis), depth_(depth) {}

  [[nodiscard]] std::string name() const override { return "one_hot"; }
  [[nodiscard]] std::string parameters() const override { return fmt::format("axis={} depth={}", axis_, depth_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 3, "has {} inputs besides its depth, it takes 3", in.size());
    require_dtype(input_type(in, 0), {DType::i32, DType::i64}, "index input");
    const TensorType& on = input_type(in, 1);
    require(on.dtype == input_type(in, 2).dtype && elements(on.shape) == 1 && elements(in[2]->type.shape) == 1,
            "has an on value {} {} and an off value {} {}; it takes one element of one type for each",
            mote::name(on.dtype), to_text(on.shape), mote::name(in[2]->type.dtype), to_text(in[2]->type.shape));
    Shape shape = in[0]->type.shape;
    require(axis_ <= shape.size() && depth_ > 0, "adds axis {} of {} to {}", axis_, depth_, to_text(shape));
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis_), depth_);
    return {moved_type(on, declared, std::move(shape))};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const nn::OneHot p = params(in);
    std::vector<double> result;
    for (int64_t i = 0; i < elements(out[0].shape); ++i) {
      const auto place = static_cast<size_t>(i / p.inner / p.depth * p.inner + i % p.inner);
      const bool on = x[0][place] == static_cast<double>(i / p.inner % p.depth);
      result.push_back(on ? x[1][0] : x[2][0]);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const std::vector<Argument> arguments{data_argument(in, 0, constants), data_argument(in, 1, constants),
                                          data_argument(in, 2, constants), output(0)};
    const bool wide = in[0]->type.dtype == DType::i64;
    const auto call_of = [&](auto narrow_kernel, auto wide_kernel, std::string_view type) {
      const std::string function = fmt::format("one_hot<{}, {}>", type, wide ? "int64_t" : "int32_t");
      return wide ? make_call(wide_kernel, function, "nn/one_hot.hpp", "OneHot", params(in), arguments)
                  : make_call(narrow_kernel, function, "nn/one_hot.hpp", "OneHot", params(in), arguments);
    };
    Call call;
    switch (bits(out[0].dtype)) {
      case 8: call = call_of(nn::one_hot<int8_t, int32_t>, nn::one_hot<int8_t, int64_t>, "int8_t"); break;
      case 16: call = call_of(nn::one_hot<int16_t, int32_t>, nn::one_hot<int16_t, int64_t>, "int16_t"); break;
      case 64: call = call_of(nn::one_hot<int64_t, int32_t>, nn::one_hot<int64_t, int64_t>, "int64_t"); break;
      default:
        call = out[0].dtype == DType::f32
                   ? call_of(nn::one_hot<float, int32_t>, nn::one_hot<float, int64_t>, "float")
                   : call_of(nn::one_hot<int32_t, int32_t>, nn::one_hot<int32_t, int64_t>, "int32_t");
    }
    call.constants = std::move(constants);
    for (size_t i = 0; i < call.constants.size(); ++i) call.constants[i].name += std::to_string(i);
    return call;
  }

 private:
  [[nodiscard]] nn::OneHot params(Inputs in) const {
    const Shape& shape = in[0]->type.shape;
    const auto axis = shape.begin() + static_cast<std::ptrdiff_t>(axis_);
    return {narrow<int32_t>(elements(Shape(shape.begin(), axis))), narrow<int32_t>(depth_),
            narrow<int32_t>(elements(Shape(axis, shape.end())))};
  }

  size_t axis_;
  int64_t depth_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::OneHotOptions>();
  const size_t rank = file_shape(view).size();
  const size_t axis = dimension(options.axis(), rank + 1);
  return {std::make_shared<OneHot>(axis, one_integer(view, 1, "depth")), {0, 2, 3}};
}

Sample sample(std::mt19937& random) {
  const TensorType on = random_movable(random, {});
  Shape shape = random_shape(random, 0, 3, 4);
  Tensor indices = variable({DType::i32, shape, {}});
  std::vector<int32_t> values;
  for (int64_t i = 0; i < elements(shape); ++i)
    values.push_back(static_cast<int32_t>(random_integer(random, -1, 4)));
  if (chance(random, 80)) indices.data = to_bytes(values);
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(shape)));
  const int64_t depth = random_integer(random, 1, 5);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  const double tolerance = on.dtype == DType::f32 ? 0.0 : 1e-9;
  return {std::make_shared<OneHot>(axis, depth),
          {indices, variable(on), variable(on)},
          {reshaped(on, shape)},
          tolerance};
}

}  // namespace

extern const OpDef one_hot{.name = "one_hot", .tflite = {{"ONE_HOT", from_tflite}}, .sample = sample};

}  // namespace mote::op
