// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter.hpp"

#include <algorithm>

#include "nn/scatter.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote {

namespace op {

namespace {

class Scatter final : public Operator {
 public:
  explicit Scatter(int32_t mode) : mode_(mode) {}

  [[nodiscard]] std::string name() const override { return "scatter"; }
  [[nodiscard]] std::string parameters() const override {
    static constexpr const char* names[] = {"", "add", "mul", "max", "min"};
    return names[mode_];
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 3, "has {} inputs, it takes 3", in.size());
    const TensorType& data = input_type(in, 0);
    const TensorType& updates = input_type(in, 2);
    require_dtype(input_type(in, 1), {DType::i32, DType::i64}, "index input");
    if (mode_ != nn::scatter_replaces) require_dtype(data, {DType::i32, DType::f32}, "input");
    require(data.dtype == updates.dtype && data.quant == updates.quant,
            "writes {} over {}; both must have one type and quantisation", mote::name(updates.dtype),
            mote::name(data.dtype));
    const int64_t count = elements(in[1]->type.shape), numbers = elements(updates.shape);
    require(count > 0 && numbers > 0 && numbers % count == 0 && elements(data.shape) % (numbers / count) == 0,
            "writes updates {} at {} places of {}", to_text(updates.shape), count, to_text(data.shape));
    return {moved_type(data, declared, data.shape)};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const nn::Scatter p = params(in);
    std::vector<double> result = x[0];
    for (size_t i = 0; i < x[2].size(); ++i) {
      const auto inner = static_cast<size_t>(p.inner);
      const double place = x[1][i / inner];
      const auto slice = std::clamp<double>(place < 0 ? place + p.slices : place, 0, p.slices - 1);
      double& old = result[static_cast<size_t>(slice) * inner + i % inner];
      if (mode_ == nn::scatter_replaces) old = x[2][i];
      if (mode_ == nn::scatter_adds) old += x[2][i];
      if (mode_ == nn::scatter_multiplies) old *= x[2][i];
      if (mode_ == nn::scatter_keeps_largest) old = std::max(old, x[2][i]);
      if (mode_ == nn::scatter_keeps_smallest) old = std::min(old, x[2][i]);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    std::vector<Argument> arguments;
    for (size_t i = 0; i < 3; ++i) arguments.push_back(data_argument(in, i, constants));
    arguments.push_back(output(0));
    Call call = for_storage(out[0].dtype, [&]<class T>(T) {
      const auto make = [&]<class I>(I) {
        return make_call(nn::scatter<T, I>, instance<T, I>("scatter"), "nn/scatter.hpp", "Scatter", params(in),
                         arguments);
      };
      return in[1]->type.dtype == DType::i64 ? make(int64_t()) : make(int32_t());
    });
    call.constants = std::move(constants);
    return call;
  }

 private:
  [[nodiscard]] nn::Scatter params(Inputs in) const {
    const int64_t count = elements(in[1]->type.shape), inner = elements(in[2]->type.shape) / count;
    return {narrow<int32_t>(elements(in[0]->type.shape) / inner), narrow<int32_t>(count), narrow<int32_t>(inner),
            mode_};
  }

  int32_t mode_;
};

Sample sample(std::mt19937& random) {
  const auto mode = static_cast<int32_t>(chance(random, 50) ? nn::scatter_replaces : random_integer(random, 1, 4));
  const int64_t slices = random_integer(random, 1, 6), inner = random_integer(random, 1, 5),
                count = random_integer(random, 1, 7);
  const TensorType data = mode == nn::scatter_replaces ? random_movable(random, {slices, inner})
                                                       : TensorType{DType::f32, {slices, inner}, {}};
  Tensor places = variable({chance(random, 70) ? DType::i32 : DType::i64, {count}, {}});
  if (chance(random, 80)) {  // otherwise nearly all lie outside
    std::vector<int64_t> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(random_integer(random, -slices, slices - 1));
    const std::vector<int32_t> narrowed(values.begin(), values.end());
    places.data = places.type.dtype == DType::i64 ? to_bytes(values) : to_bytes(narrowed);
  }
  // A product of many updates leaves the range of floats.
  const double tolerance = mode == nn::scatter_multiplies || mode == nn::scatter_adds ? 1e-5 : 1e-9;
  return {
      make_scatter(mode), {variable(data), places, variable(reshaped(data, {count, inner}))}, {data}, tolerance};
}

}  // namespace

OperatorPtr make_operator(int32_t mode) { return std::make_shared<Scatter>(mode); }

extern const OpDef scatter{.name = "scatter", .tflite = {}, .sample = sample};

}  // namespace op

OperatorPtr make_scatter(int32_t mode) { return op::make_operator(mode); }

}  // namespace mote
