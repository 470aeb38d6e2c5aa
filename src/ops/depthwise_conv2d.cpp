// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with any multiplier: everything the compiler knows about it.
#include "ops/convolution.hpp"
#include "ops/convolution_sample.hpp"
#include "ops/convolution_tflite.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

class DepthwiseConv2d final : public Convolution {
 public:
  DepthwiseConv2d(const SlidingWindow& window, int64_t depth_multiplier)
      : Convolution(window), depth_multiplier_(depth_multiplier) {}

  std::string name() const override { return "depthwise_conv2d"; }
  OperatorPtr with_window(const SlidingWindow& window) const override {
    return make_depthwise_conv2d(window, depth_multiplier_);
  }

  Types infer(Inputs in, const Types& declared) const override {
    convolution::check_inputs(in);
    const Shape& input = in[0]->type.shape;
    const Shape& weights = in[1]->type.shape;
    require(input.size() == 4 && weights.size() == 4, "has input {} and weights {}, both need four dimensions",
            to_text(input), to_text(weights));
    require(weights[0] == 1 && input[3] > 0 && weights[3] % input[3] == 0,
            "has weights {} that do not fit an input of {} channels", to_text(weights), input[3]);
    require(depth_multiplier_ == 0 || depth_multiplier_ * input[3] == weights[3],
            "states a depth multiplier of {}, its shapes give {}", depth_multiplier_, weights[3] / input[3]);
    convolution::check_kernel(window(), weights);
    convolution::check_types(in, declared, weights[3], 3);
    require(in[1]->constant(), "has weights that are computed at run time; only constant ones are supported");
    return {{declared[0].dtype, convolution::window_output(window(), input, weights[3]), declared[0].quant}};
  }

  convolution::Problem problem(Inputs in, const Types& out) const override {
    convolution::Problem problem;
    problem.shape = shape(in, out);
    problem.activation = window().activation;
    problem.weights = in[1];
    problem.channels_last = true;
    problem.bias = in.size() > 2 ? in[2] : nullptr;
    problem.input = &in[0]->type;
    problem.output = &out[0];
    problem.asymmetric = true;
    problem.pixel_dims = 3;
    return problem;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override {
    tflite::schema::DepthwiseConv2DOptionsT options;
    options.depth_multiplier = narrow<int32_t>(out[0].shape[3] / in[0]->type.shape[3]);
    convolution::write_window(file, tflite::schema::BuiltinOperator::DEPTHWISE_CONV_2D, window(), in[0]->type,
                              in[1]->type.dtype, out[0], options);
  }
  std::optional<IntegerForm> integer_form(DType, Inputs in, const Types&) const override {
    return weighted_form(in, window().activation, {.out_axis = 3});
  }

 private:
  nn::Conv2d shape(Inputs in, const Types& out) const {
    nn::Conv2d shape = convolution::window_shape(window(), in[0]->type.shape, out[0].shape);
    shape.group_channels = 1;
    shape.group_outputs = shape.out_channels / shape.in_channels;
    return shape;
  }

  int64_t depth_multiplier_;
};

Made from_tflite(const tflite::OpView& view) {
  using Options = tflite::schema::DepthwiseConv2DOptions;
  return {make_depthwise_conv2d(convolution::window_from_tflite<Options>(view),
                                view.required_options<Options>().depth_multiplier()),
          convolution::kept_inputs(view)};
}

Sample sample(std::mt19937& random) {
  convolution::SampleMaker make(random);
  const bool usual = make.chance(0.5);
  const int64_t multiplier = !usual && make.chance(0.5) ? make.integer(2, 8) : 1;
  const int64_t channels = make.integer(1, 9);
  SlidingWindow window = usual ? make.window_3x3() : make.window();
  const bool column = make.chance(0.15);  // one value wide
  if (column) window.horizontal = {1, 1, 1}, window.pad_horizontal = {};
  Shape input = make.input(window, channels);
  if (column) input[2] = 1;
  const Shape weights{1, window.vertical.kernel, window.horizontal.kernel, channels * multiplier};
  return make.sample(make_depthwise_conv2d(window, multiplier), input, weights, channels * multiplier, 3, {});
}

}  // namespace

OperatorPtr make_depthwise_conv2d(const SlidingWindow& window, int64_t depth_multiplier) {
  return std::make_shared<DepthwiseConv2d>(window, depth_multiplier);
}

namespace op {

extern const OpDef depthwise_conv2d{
    .name = "depthwise_conv2d", .tflite = {{"DEPTHWISE_CONV_2D", from_tflite}}, .sample = sample};

}  // namespace op
}  // namespace mote
