// SPDX-License-Identifier: Apache-2.0
// Element-wise addition: everything the compiler knows about it.
#include "nn/add.hpp"

#include "formats/tflite_view.hpp"
#include "ops/broadcast.hpp"
#include "ops/checks.hpp"
#include "ops/quantize_multiplier.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

constexpr int headroom_bits = 20;  // inputs are shifted up by this before they are brought to a common scale

class Add final : public Operator {
 public:
  explicit Add(Activation activation) : activation_(activation) {}

  [[nodiscard]] std::string name() const override { return "add"; }
  [[nodiscard]] std::string parameters() const override {
    return activation_ == Activation::none ? "" : fmt::format("activation={}", mote::name(activation_));
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const TensorType& a = input_type(in, 0);
    const TensorType& b = input_type(in, 1);
    require_dtype(a, {DType::i8, DType::f32}, "input");
    require(a.dtype == b.dtype, "adds {} and {}; both must have one type", mote::name(a.dtype),
            mote::name(b.dtype));
    TensorType output = declared_type(declared, a.dtype);
    output.shape = broadcast_shape(a.shape, b.shape);
    if (a.dtype == DType::i8) (void)kernel_parameters(a, b, output, 0);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    std::vector<double> sum(static_cast<size_t>(elements(out[0].shape)));
    for (size_t i = 0; i < sum.size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      sum[i] = apply(activation_, x[0][broadcast_index(index, out[0].shape, in[0]->type.shape)] +
                                      x[1][broadcast_index(index, out[0].shape, in[1]->type.shape)]);
    }
    return {sum};
  }

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    return broadcast_needs(region, in[input]->type.shape);
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const TensorType& a = in[0]->type;
    const TensorType& b = in[1]->type;
    std::vector<Constant> constants;
    const Argument from_a = data_argument(in, 0, constants);
    const Argument from_b = data_argument(in, 1, constants);
    const bool is_float = a.dtype == DType::f32;
    Call call;
    if (elements(a.shape) == elements(out[0].shape) && elements(b.shape) == elements(out[0].shape)) {
      const auto count = narrow<int32_t>(elements(out[0].shape));
      call = is_float ? make_call(nn::add_f32, "add_f32", "nn/add.hpp", "AddFloat", float_parameters(count),
                                  {from_a, from_b, output(0)})
                      : make_call(nn::add_s8, "add_s8", "nn/add.hpp", "Add",
                                  kernel_parameters(a, b, out[0], count), {from_a, from_b, output(0)});
    } else {
      const BroadcastTable table = broadcast_table(out[0].shape, a.shape, b.shape);
      constants.push_back(table.table);
      const std::vector<Argument> arguments{from_a, from_b, constant(constants.size() - 1), output(0)};
      call = is_float ? make_call(nn::add_broadcast_f32, "add_broadcast_f32", "nn/add.hpp", "AddFloat",
                                  float_parameters(table.dimensions), arguments)
                      : make_call(nn::add_broadcast_s8, "add_broadcast_s8", "nn/add.hpp", "Add",
                                  kernel_parameters(a, b, out[0], table.dimensions), arguments);
    }
    call.constants = std::move(constants);
    call.order = {.dims = static_cast<int>(out[0].shape.size()), .block = 1, .reads_first = true};
    return call;
  }

 private:
  [[nodiscard]] nn::AddFloat float_parameters(int32_t count) const {
    const FloatRange range = activation_range(activation_);
    return {count, range.low, range.high};
  }

  [[nodiscard]] nn::Add kernel_parameters(const TensorType& a, const TensorType& b, const TensorType& out,
                                          int32_t count) const {
    const auto scale_a = static_cast<double>(tensor_scale(a, "first input"));
    const auto scale_b = static_cast<double>(tensor_scale(b, "second input"));
    const auto scale_out = static_cast<double>(tensor_scale(out, "output"));
    const double common = 2 * std::max(scale_a, scale_b);  // twice, so that both multipliers stay below 1
    const FixedMultiplier to_common_a = quantize_multiplier(scale_a / common);
    const FixedMultiplier to_common_b = quantize_multiplier(scale_b / common);
    const FixedMultiplier to_output =
        quantize_multiplier(common / (static_cast<double>(1 << headroom_bits) * scale_out));
    require(to_output.shift <= 0, "has an output scale of {}, too small for its inputs; convert the model again",
            scale_out);
    const IntegerRange range = activation_range(activation_, out);
    return {count,
            tensor_zero(a, "first input"),
            to_common_a.multiplier,
            to_common_a.shift,
            tensor_zero(b, "second input"),
            to_common_b.multiplier,
            to_common_b.shift,
            tensor_zero(out, "output"),
            to_output.multiplier,
            to_output.shift,
            range.low,
            range.high};
  }

  Activation activation_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto* const options = view.options<tflite::schema::AddOptions>();
  const Activation activation =
      options == nullptr ? Activation::none
                         : activation_from_tflite(static_cast<int>(options->fused_activation_function()));
  return {std::make_shared<Add>(activation), {0, 1}};
}

Sample sample(std::mt19937& random) {
  const DType dtype = chance(random, 70) ? DType::i8 : DType::f32;
  const Shape out = random_shape(random, 1, 5, 4);
  const Activation activation = chance(random, 70) ? Activation::none : Activation::relu;
  Sample sample{std::make_shared<Add>(activation), {}, {}, dtype == DType::f32 ? 1e-5 : 0.51};
  const bool broadcast = chance(random, 50);
  Shape result(broadcast ? 1 : out.size(), 1);
  for (int i = 0; i < 2; ++i) {
    Shape shape = out;
    if (broadcast) {
      for (int64_t& extent : shape) extent = chance(random, 30) ? 1 : extent;
      if (chance(random, 30))
        shape.erase(shape.begin(), shape.begin() + random_integer(random, 0, std::ssize(shape) - 1));
    }
    if (shape.size() > result.size()) result.insert(result.begin(), shape.size() - result.size(), 1);
    for (size_t d = 1; d <= shape.size(); ++d) {
      int64_t& extent = result[result.size() - d];
      extent = std::max(extent, shape[shape.size() - d]);
    }
    sample.in.push_back(variable(random_type(random, dtype, shape)));
    if (i == 1 && chance(random, 20)) make_constant(*sample.in.back(), random);
  }
  sample.out = {random_type(random, dtype, result)};
  return sample;
}

}  // namespace

extern const OpDef add{.name = "add", .tflite = {{"ADD", from_tflite}}, .sample = sample};

}  // namespace mote::op
