// SPDX-License-Identifier: Apache-2.0
// Transposed convolution: everything the compiler knows about it.
#include "ops/convolution.hpp"
#include "ops/convolution_sample.hpp"
#include "ops/convolution_tflite.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

// The window's strides and paddings count output elements: those of the convolution that goes the other way.
class TransposeConv final : public WeightedSum {
 public:
  TransposeConv(const SlidingWindow& window, int64_t height, int64_t width)
      : window_(window), height_(height), width_(width) {}

  std::string name() const override { return "transpose_conv"; }
  std::string parameters() const override {
    return to_text(window_) + fmt::format(" size={}x{}", height_, width_);
  }

  OperatorPtr absorb(const Operator& next, Inputs, Inputs, const TensorType&) const override {
    SlidingWindow window = window_;
    window.activation = op::clamp_of(next);
    const bool joins = window_.activation == Activation::none && window.activation != Activation::none;
    return joins ? make_transpose_conv(window, height_, width_) : nullptr;
  }

  Types infer(Inputs in, const Types& declared) const override {
    convolution::check_inputs(in);
    const Shape& input = in[0]->type.shape;
    const Shape& weights = in[1]->type.shape;
    require(input.size() == 4 && weights.size() == 4 && weights[3] == input[3],
            "has input {} and weights {}; both need four dimensions, and the last ones must be equal",
            to_text(input), to_text(weights));
    convolution::check_kernel(window_, weights);
    convolution::check_types(in, declared, weights[0], 0);
    require(in[1]->constant(), "has weights that are computed at run time; only constant ones are supported");
    require(in[0]->type.dtype != DType::f32 || in[1]->type.dtype == DType::f32,
            "has real activations and {} weights, which is not supported; quantise both or none",
            mote::name(in[1]->type.dtype));
    require(
        in[0]->type.dtype != DType::i16 || in.size() < 3 || in[2] == nullptr || in[2]->type.dtype != DType::i32,
        "has biases of type i32, its input needs i64");
    return {{declared[0].dtype, {input[0], height_, width_, weights[0]}, declared[0].quant}};
  }

  Reals reference(Inputs in, const Types& out, const Reals& x) const override;
  Region needs(size_t input, const Region& region, Inputs in, const Types& out) const override;

  Work work(Inputs in, const Types&) const override {
    const Shape& weights = in[1]->type.shape;
    return {elements(in[0]->type.shape) * weights[0] * weights[1] * weights[2]};
  }

  convolution::Problem problem(Inputs in, const Types& out) const override {
    convolution::Problem problem;
    problem.shape = convolution::window_shape(window_, in[0]->type.shape, out[0].shape);
    problem.shape.group_channels = problem.shape.in_channels;
    problem.shape.group_outputs = problem.shape.out_channels;
    problem.transposed = true;
    problem.activation = window_.activation;
    problem.weights = in[1];
    problem.bias = in.size() > 2 ? in[2] : nullptr;
    problem.input = &in[0]->type;
    problem.output = &out[0];
    problem.pixel_dims = 3;
    return problem;
  }

  // The paddings are cut off the output, so a scheme must state them.
  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override {
    const WindowUse use{window_.vertical,       window_.horizontal, window_.pad_vertical,
                        window_.pad_horizontal, out[0].shape,       in[0]->type.shape};
    const std::optional<tflite::schema::Padding> scheme = padding_scheme(use);
    require(scheme.has_value(),
            "cuts its output by paddings that a .tflite file cannot state (neither SAME nor VALID)");
    tflite::schema::TransposeConvOptionsT options;
    options.padding = *scheme;
    options.stride_h = narrow<int32_t>(window_.vertical.stride);
    options.stride_w = narrow<int32_t>(window_.horizontal.stride);
    options.fused_activation_function = mote::to_tflite(window_.activation);
    std::vector<int> inputs = convolution::written_inputs(file);
    const Shape& shape = out[0].shape;
    std::swap(inputs[0], inputs[1]);  // the file's order: shape, weights, input, bias
    inputs.insert(inputs.begin(), file.integers("shape", {shape[0], shape[1], shape[2], shape[3]}));
    const int version = window_.activation != Activation::none ? 4
                        : inputs.size() > 3                    ? 3
                                                               : tflite::usual_version(in[0]->type.dtype);
    file.add(tflite::schema::BuiltinOperator::TRANSPOSE_CONV, version, inputs, file.outputs(), options);
  }
  std::optional<IntegerForm> integer_form(DType, Inputs in, const Types&) const override {
    return weighted_form(in, window_.activation, {.out_axis = 0, .in_axis = 3});
  }

 private:
  SlidingWindow window_;
  int64_t height_, width_;
};

// Straight from the definition: each input element adds its share to the outputs under its window.
Reals TransposeConv::reference(Inputs in, const Types& out, const Reals& x) const {
  const Shape& input = in[0]->type.shape;
  const Shape& weights = in[1]->type.shape;
  const int64_t channels = weights[0];
  std::vector<double> sums(static_cast<size_t>(elements(out[0].shape)), 0.0);
  const int64_t taps = weights[1] * weights[2];
  for (int64_t i = 0; i < elements(input) / input[3]; ++i) {
    const int64_t batch = i / input[2] / input[1];
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t y =
          i / input[2] % input[1] * window_.vertical.stride - window_.pad_vertical.before + tap / weights[2];
      const int64_t column =
          i % input[2] * window_.horizontal.stride - window_.pad_horizontal.before + tap % weights[2];
      if (y < 0 || y >= height_ || column < 0 || column >= width_) continue;
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t target = ((batch * height_ + y) * width_ + column) * channels + c;
        for (int64_t k = 0; k < input[3]; ++k) {
          sums[static_cast<size_t>(target)] += x[0][static_cast<size_t>(i * input[3] + k)] *
                                               x[1][static_cast<size_t>((c * taps + tap) * input[3] + k)];
        }
      }
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    const double bias = x.size() > 2 && !x[2].empty() ? x[2][i % static_cast<size_t>(channels)] : 0.0;
    sums[i] = apply(window_.activation, sums[i] + bias);
  }
  return {sums};
}

Region TransposeConv::needs(size_t input, const Region& region, Inputs in, const Types&) const {
  Region needed = whole(in[input]->type.shape);
  if (input != 0) return needed;
  // Input element i meets the outputs [i * stride - padding, + kernel).
  const auto reach = [](const Region::Range& range, const Window& window, int64_t pad, int64_t extent) {
    const int64_t first = range.low + pad - (window.kernel - 1);
    const int64_t low = std::clamp<int64_t>(first <= 0 ? 0 : (first - 1) / window.stride + 1, 0, extent);
    const int64_t high = std::clamp<int64_t>((range.high - 1 + pad) / window.stride + 1, 0, extent);
    return Region::Range{low, std::max(low, high)};
  };
  needed.dims[0] = region.dims[0];
  needed.dims[1] = reach(region.dims[1], window_.vertical, window_.pad_vertical.before, needed.dims[1].high);
  needed.dims[2] = reach(region.dims[2], window_.horizontal, window_.pad_horizontal.before, needed.dims[2].high);
  return needed;
}

// The file's inputs: output shape, weights, input, bias. The shape is a constant, or given when the model runs;
// then the one that the file states for the output holds.
Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::TransposeConvOptions>();
  require(view.inputs.size() >= 3 && view.inputs[0] != nullptr && view.inputs[1] != nullptr,
          "needs an output shape, weights and an input");
  const Shape& weights = view.inputs[1]->type.shape;
  require(weights.size() == 4, "needs weights of rank 4, they are {}", to_text(weights));
  Shape output = view.outputs.at(0)->type.shape;
  if (view.inputs[0]->constant()) output = view.integers(0, "output shape");
  require(output.size() == 4 && output[3] == weights[0], "has output shape {} for weights {}", to_text(output),
          to_text(weights));
  SlidingWindow window;
  window.vertical = {weights[1], options.stride_h(), 1};
  window.horizontal = {weights[2], options.stride_w(), 1};
  for (const Window& one : {window.vertical, window.horizontal}) {
    require(one.stride > 0, "has stride {}, which must be positive", one.stride);
  }
  const PaddingScheme scheme = padding_from_tflite(static_cast<int>(options.padding()));
  window.pad_vertical = window_padding(scheme, output[1], window.vertical);
  window.pad_horizontal = window_padding(scheme, output[2], window.horizontal);
  window.activation = activation_from_tflite(static_cast<int>(options.fused_activation_function()));
  std::vector<size_t> kept{2, 1};
  if (view.inputs.size() > 3) kept.push_back(3);
  return {std::make_shared<TransposeConv>(window, output[1], output[2]), kept};
}

Sample sample(std::mt19937& random) {
  convolution::SampleMaker make(random);
  SlidingWindow window;
  const int64_t outputs = make.integer(1, 6);
  const int64_t channels = make.integer(1, 6);
  int64_t input[2];
  int64_t output[2];
  for (const bool vertical : {true, false}) {
    const Window one{make.integer(1, 5), make.integer(1, 4), 1};
    const Padding padding{make.integer(0, one.kernel - 1), 0};
    input[vertical ? 0 : 1] = make.integer(1, 6);
    output[vertical ? 0 : 1] = make.integer(1, input[vertical ? 0 : 1] * one.stride + one.kernel);
    (vertical ? window.vertical : window.horizontal) = one;
    (vertical ? window.pad_vertical : window.pad_horizontal) = padding;
  }
  window.activation = make.activation();
  const Shape weights{outputs, window.vertical.kernel, window.horizontal.kernel, channels};
  return make.sample(std::make_shared<TransposeConv>(window, output[0], output[1]),
                     {make.chance(0.8) ? 1 : 2, input[0], input[1], channels}, weights, outputs, 0,
                     {.hybrid = false, .bias32 = false});
}

}  // namespace

OperatorPtr make_transpose_conv(const SlidingWindow& window, int64_t height, int64_t width) {
  return std::make_shared<TransposeConv>(window, height, width);
}

namespace op {

extern const OpDef transpose_conv{
    .name = "transpose_conv", .tflite = {{"TRANSPOSE_CONV", from_tflite}}, .sample = sample};

}  // namespace op
}  // namespace mote
