// SPDX-License-Identifier: Apache-2.0
// Sums that are scaled by an integer and shifted: everything the compiler knows about them.
#include "ops/shifted_sum.hpp"

#include <cmath>

#include "nn/shifted_sum.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote {

namespace {

class ShiftedSum final : public Operator {
 public:
  ShiftedSum(const SlidingWindow& window, const ShiftedScaling& scaling) : window_(window), scaling_(scaling) {
    require(scaling.shift >= 0 && scaling.shift <= 62, "has a shift of {} bits; 0 to 62 are possible",
            scaling.shift);
  }

  [[nodiscard]] std::string name() const override { return "shifted_sum"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("{} multiplier={} shift={}{}{}", to_text(window_), scaling_.multiplier, scaling_.shift,
                       scaling_.saturates_first ? " saturates_first" : "", scaling_.relu ? " relu" : "");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    check_inputs(in);
    const Shape& input = in[0]->type.shape;
    const Shape& weights = in[1]->type.shape;
    require(elements(in[2]->type.shape) == weights[0], "has {} biases for {} outputs", elements(in[2]->type.shape),
            weights[0]);
    TensorType output = op::declared_type(declared, DType::i8);
    if (weights.size() == 2) {
      require(input.size() == 2 && input[1] == weights[1], "has weights {} that do not fit its input {}",
              to_text(weights), to_text(input));
      output.shape = {input[0], weights[0]};
    } else {
      convolution::check_kernel(window_, weights);
      require(input.size() == 4 && weights[3] > 0 && input[3] % weights[3] == 0 &&
                  weights[0] % (input[3] / weights[3]) == 0,
              "has weights {} that do not fit its input {}", to_text(weights), to_text(input));
      output.shape = convolution::window_output(window_, input, weights[0]);
    }
    check_sums(in);
    return {output};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const nn::ShiftedSum p = kernel_parameters(in, out);
    const double scale = scale_of(in[0]->type);
    const std::vector<int8_t> weights = to_values<int8_t>(in[1]->data);
    const std::vector<int32_t> bias = to_values<int32_t>(in[2]->data);
    std::vector<double> result;
    for (int64_t i = 0; i < elements(out[0].shape); ++i) {
      const auto c = static_cast<size_t>(i % p.out_channels);
      double sum = 0;
      for_each_tap(p, i, [&](int64_t input, int64_t weight) {
        sum += std::round(x[0][static_cast<size_t>(input)] / scale) * weights[static_cast<size_t>(weight)];
      });
      const double scaled =
          std::clamp(std::floor(std::ldexp(sum * p.multiplier, -p.shift)), 1.0 * p.sum_low, 1.0 * p.sum_high);
      result.push_back(scale_of(out[0]) * std::clamp(scaled + bias[c], 1.0 * p.low, 1.0 * p.high));
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override {
    if (input != 0 || region.empty()) return whole(in[input]->type.shape);
    Region needed = region;
    const nn::ShiftedSum p = kernel_parameters(in, out);
    const Shape& shape = in[0]->type.shape;
    if (shape.size() == 2) {
      needed.dims[1] = {0, shape[1]};
      return needed;
    }
    const auto along = [](Region::Range r, int64_t stride, int64_t pad, int64_t kernel, int64_t extent) {
      return Region::Range{std::clamp<int64_t>(r.low * stride - pad, 0, extent),
                           std::clamp<int64_t>((r.high - 1) * stride - pad + kernel, 0, extent)};
    };
    needed.dims[1] = along(region.dims[1], p.stride_height, p.pad_top, p.kernel_height, p.in_height);
    needed.dims[2] = along(region.dims[2], p.stride_width, p.pad_left, p.kernel_width, p.in_width);
    needed.dims[3] = {region.dims[3].low / p.group_outputs * p.group_channels,
                      ((region.dims[3].high - 1) / p.group_outputs + 1) * p.group_channels};
    return needed;
  }

  [[nodiscard]] Work work(Inputs in, const Types& out) const override {
    return {elements(out[0].shape) * (elements(in[1]->type.shape) / in[1]->type.shape[0])};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    Call call = make_call(nn::shifted_sum_s8, "shifted_sum_s8", "nn/shifted_sum.hpp", "ShiftedSum",
                          kernel_parameters(in, out), {input(0), constant(0), constant(1), output(0)});
    call.constants = {{"weights", DType::i8, in[1]->data, true}, {"bias", DType::i32, in[2]->data, true}};
    // A pixel, or a row of a dense layer, at a time.
    call.order = {.dims = static_cast<int>(out[0].shape.size()) - 1, .block = 1, .reads_first = false};
    return call;
  }

  [[nodiscard]] OperatorPtr with_relu() const {
    ShiftedScaling scaling = scaling_;
    scaling.relu = true;
    return std::make_shared<ShiftedSum>(window_, scaling);
  }

 private:
  static double scale_of(const TensorType& type) { return static_cast<double>(tensor_scale(type, "tensor")); }

  static void check_inputs(Inputs in) {
    require(in.size() == 3, "has {} inputs, it takes activations, weights and biases", in.size());
    op::require_dtype(op::input_type(in, 0), {DType::i8}, "input");
    op::require_dtype(op::input_type(in, 1), {DType::i8}, "weight tensor");
    op::require_dtype(op::input_type(in, 2), {DType::i32}, "bias tensor");
    require(in[1]->constant() && in[2]->constant(), "has weights or biases that are not constant");
    const size_t rank = in[1]->type.shape.size();
    require(rank == 2 || rank == 4, "has weights {}, they need 2 or 4 dimensions", to_text(in[1]->type.shape));
  }

  // The largest sum that any input can give must fit 32 bits, and so must the scaled one.
  void check_sums(Inputs in) const {
    const std::vector<int8_t> weights = to_values<int8_t>(in[1]->data);
    const size_t taps = weights.size() / static_cast<size_t>(in[1]->type.shape[0]);
    double largest = 0;
    for (size_t first = 0; first < weights.size(); first += taps) {
      double sum = 0;
      for (size_t i = first; i < first + taps; ++i) sum += 128.0 * std::abs(weights[i]);
      largest = std::max(largest, sum);
    }
    constexpr double limit = 2147483647.0;
    require(largest <= limit, "can have a sum of {:.0f}, which leaves 32 bits; use smaller weights", largest);
    const double scaled =
        std::ldexp(largest * std::abs(static_cast<double>(scaling_.multiplier)), -scaling_.shift);
    require(scaled <= limit - 1,
            "can have a sum of {:.0f}, which leaves 32 bits when multiplied by {} and shifted by {}; use a larger "
            "shift",
            largest, scaling_.multiplier, scaling_.shift);
    for (const int32_t bias : to_values<int32_t>(in[2]->data)) {
      const double limit_of_sum = scaling_.saturates_first ? 128.0 : scaled + 1;
      require(limit_of_sum + std::abs(static_cast<double>(bias)) <= limit,
              "has a bias of {}, which leaves 32 bits", bias);
    }
  }

  [[nodiscard]] nn::ShiftedSum kernel_parameters(Inputs in, const Types& out) const {
    const Shape& weights = in[1]->type.shape;
    const bool dense = weights.size() == 2;
    const Shape image = dense ? Shape{1, 1, in[0]->type.shape[0], weights[1]} : in[0]->type.shape;
    const Shape result = dense ? Shape{1, 1, out[0].shape[0], weights[0]} : out[0].shape;
    nn::ShiftedSum p{};
    p.batches = narrow<int32_t>(image[0]);
    p.in_height = narrow<int32_t>(image[1]), p.in_width = narrow<int32_t>(image[2]);
    p.in_channels = narrow<int32_t>(image[3]);
    p.out_height = narrow<int32_t>(result[1]), p.out_width = narrow<int32_t>(result[2]);
    p.out_channels = narrow<int32_t>(result[3]);
    p.kernel_height = dense ? 1 : narrow<int32_t>(weights[1]);
    p.kernel_width = dense ? 1 : narrow<int32_t>(weights[2]);
    p.stride_height = narrow<int32_t>(window_.vertical.stride);
    p.stride_width = narrow<int32_t>(window_.horizontal.stride);
    p.pad_top = narrow<int32_t>(window_.pad_vertical.before);
    p.pad_left = narrow<int32_t>(window_.pad_horizontal.before);
    p.group_channels = narrow<int32_t>(weights.back());
    p.group_outputs = p.out_channels / (p.in_channels / p.group_channels);
    p.multiplier = scaling_.multiplier, p.shift = scaling_.shift;
    p.sum_low = scaling_.saturates_first ? -128 : INT32_MIN,
    p.sum_high = scaling_.saturates_first ? 127 : INT32_MAX;
    p.low = scaling_.relu ? 0 : -128, p.high = 127;
    return p;
  }

  // visit(index of the input, index of the weight) for each product of output `index`.
  template <class Visit>
  static void for_each_tap(const nn::ShiftedSum& p, int64_t index, Visit visit) {
    const int64_t c = index % p.out_channels, x = index / p.out_channels % p.out_width;
    const int64_t y = index / p.out_channels / p.out_width % p.out_height;
    const int64_t batch = index / p.out_channels / p.out_width / p.out_height;
    for (int64_t tap = 0; tap < int64_t{p.kernel_height} * p.kernel_width * p.group_channels; ++tap) {
      const int64_t iy = y * p.stride_height - p.pad_top + tap / p.group_channels / p.kernel_width;
      const int64_t ix = x * p.stride_width - p.pad_left + tap / p.group_channels % p.kernel_width;
      if (iy < 0 || iy >= p.in_height || ix < 0 || ix >= p.in_width) continue;
      const int64_t ic = c / p.group_outputs * p.group_channels + tap % p.group_channels;
      visit(((batch * p.in_height + iy) * p.in_width + ix) * p.in_channels + ic,
            c * p.kernel_height * p.kernel_width * p.group_channels + tap);
    }
  }

  SlidingWindow window_;
  ShiftedScaling scaling_;
};

Tensor random_constant(std::mt19937& random, DType dtype, const Shape& shape) {
  Tensor tensor{"constant", {dtype, shape, {{1.0F}, {0}, -1}}, {}};
  const auto count = static_cast<size_t>(elements(shape));
  if (dtype == DType::i8) {
    std::vector<int8_t> values(count);
    for (int8_t& value : values) value = static_cast<int8_t>(op::random_integer(random, -128, 127));
    tensor.data = to_bytes(values);
  } else {
    std::vector<int32_t> values(count);
    for (int32_t& value : values) value = static_cast<int32_t>(op::random_integer(random, -200, 200));
    tensor.data = to_bytes(values);
  }
  return tensor;
}

Sample sample(std::mt19937& random) {
  const auto integer = [&](int64_t low, int64_t high) { return op::random_integer(random, low, high); };
  SlidingWindow window;
  Shape input{integer(1, 4), integer(1, 40)}, weights{integer(1, 11), input[1]};
  if (op::chance(random, 70)) {
    const int64_t groups = op::chance(random, 30) ? integer(2, 4) : 1;
    weights = {groups * integer(1, 6), integer(1, 3), integer(1, 3), integer(1, 4)};
    input = {integer(1, 2), integer(3, 8), integer(3, 8), groups * weights[3]};
    window.vertical = {weights[1], integer(1, 3), 1};
    window.horizontal = {weights[2], integer(1, 3), 1};
    window.pad_vertical = {integer(0, weights[1] - 1), integer(0, weights[1] - 1)};
    window.pad_horizontal = {integer(0, weights[2] - 1), integer(0, weights[2] - 1)};
  }
  const auto shift = static_cast<int32_t>(integer(0, 44));
  // The scaled sums reach over the ends of int8, not far.
  const auto most = static_cast<int64_t>(std::min(std::ldexp(1.0, shift), 2147483647.0));
  const ShiftedScaling scaling{static_cast<int32_t>(integer(-most / 8, most / 8)), shift, op::chance(random, 50),
                               op::chance(random, 30)};
  const TensorType type{DType::i8, input, {{0.5F}, {0}, -1}};
  Sample sample{make_shifted_sum(window, scaling),
                {op::variable(type), random_constant(random, DType::i8, weights),
                 random_constant(random, DType::i32, {weights[0]})},
                {{DType::i8, {}, {{0.25F}, {0}, -1}}},
                1e-6};
  const Tensor* const in[] = {&*sample.in[0], &*sample.in[1], &*sample.in[2]};
  sample.out = sample.op->infer(in, sample.out);
  return sample;
}

}  // namespace

OperatorPtr make_shifted_sum(const SlidingWindow& window, const ShiftedScaling& scaling) {
  return std::make_shared<ShiftedSum>(window, scaling);
}

OperatorPtr with_relu(const Operator& op) {
  const auto* const sum = dynamic_cast<const ShiftedSum*>(&op);
  return sum == nullptr ? nullptr : sum->with_relu();
}

namespace op {

extern const OpDef shifted_sum{.name = "shifted_sum", .tflite = {}, .sample = sample};

}  // namespace op
}  // namespace mote
