// SPDX-License-Identifier: Apache-2.0
// Convolution, also dilated and grouped: everything the compiler knows about it.
#include <algorithm>
#include <functional>

#include "ir/classifier.hpp"
#include "ops/convolution.hpp"
#include "ops/convolution_sample.hpp"
#include "ops/convolution_tflite.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

class Conv2d final : public Convolution, public ClassifierPart {
 public:
  Conv2d(const SlidingWindow& window, bool asymmetric) : Convolution(window), asymmetric_(asymmetric) {}

  std::string name() const override { return "conv2d"; }
  std::string parameters() const override {
    return Convolution::parameters() + (asymmetric_ ? " asymmetric" : "");
  }
  // Of one place it is a dense layer: its window is the whole input.
  ClassifierRole classifier_role() const override {
    const auto whole = [](const Window& one, const Padding& padding) {
      return one.dilation == 1 && padding.before == 0 && padding.after == 0;
    };
    const SlidingWindow& all = window();
    if (!whole(all.vertical, all.pad_vertical) || !whole(all.horizontal, all.pad_horizontal))
      return ClassifierRole::other;
    return all.activation == Activation::none ? ClassifierRole::dense : ClassifierRole::clamped_dense;
  }
  ClampedTo clamped_to() const override {
    const FloatRange range = activation_range(window().activation);
    return {range.low, range.high};
  }
  OperatorPtr with_window(const SlidingWindow& window) const override { return make_conv2d(window, asymmetric_); }

  Types infer(Inputs in, const Types& declared) const override {
    convolution::check_inputs(in);
    const Shape& input = in[0]->type.shape;
    const Shape& weights = in[1]->type.shape;
    require(input.size() == 4 && weights.size() == 4, "has input {} and weights {}, both need four dimensions",
            to_text(input), to_text(weights));
    require(weights[3] > 0 && input[3] % weights[3] == 0 && weights[0] % (input[3] / weights[3]) == 0,
            "has weights {} that do not fit an input of {} channels", to_text(weights), input[3]);
    convolution::check_kernel(window(), weights);
    convolution::check_types(in, declared, weights[0], 0);
    convolution::check_static_or_symmetric(*in[1]);
    return {{declared[0].dtype, convolution::window_output(window(), input, weights[0]), declared[0].quant}};
  }

  convolution::Problem problem(Inputs in, const Types& out) const override {
    convolution::Problem problem;
    problem.shape = shape(in, out);
    problem.activation = window().activation;
    problem.weights = in[1];
    problem.bias = in.size() > 2 ? in[2] : nullptr;
    problem.input = &in[0]->type;
    problem.output = &out[0];
    // TFLite's reference gives the activations a zero point only where channels differ in their scales.
    const std::vector<float>& scales = in[1]->type.quant.scale;
    problem.asymmetric =
        asymmetric_ || std::adjacent_find(scales.begin(), scales.end(), std::not_equal_to<>()) != scales.end();
    problem.pixel_dims = 3;
    return problem;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const override {
    require(!asymmetric_ || in[1]->type.dtype == DType::f32,
            "quantises its activations with a zero point for all weights, which a .tflite file cannot state");
    convolution::write_window(file, tflite::schema::BuiltinOperator::CONV_2D, window(), in[0]->type,
                              in[1]->type.dtype, out[0], tflite::schema::Conv2DOptionsT{});
  }
  std::optional<IntegerForm> integer_form(DType, Inputs in, const Types&) const override {
    return weighted_form(in, window().activation, {.out_axis = 0, .in_axis = 3});
  }

 private:
  nn::Conv2d shape(Inputs in, const Types& out) const {
    nn::Conv2d shape = convolution::window_shape(window(), in[0]->type.shape, out[0].shape);
    shape.group_channels = narrow<int32_t>(in[1]->type.shape[3]);
    shape.group_outputs = shape.out_channels / (shape.in_channels / shape.group_channels);
    return shape;
  }

  bool asymmetric_;
};

Made from_tflite(const tflite::OpView& view) {
  return {make_conv2d(convolution::window_from_tflite<tflite::schema::Conv2DOptions>(view)),
          convolution::kept_inputs(view)};
}

Sample sample(std::mt19937& random) {
  convolution::SampleMaker make(random);
  const int64_t groups = make.chance(0.2) ? make.integer(2, 3) : 1;
  const int64_t group_channels = make.chance(0.1) ? make.integer(30, 70) : make.integer(1, 9);
  const int64_t outputs = groups * make.integer(1, make.chance(0.2) ? 21 : 7);
  const SlidingWindow window = make.window();
  const Shape input = make.input(window, groups * group_channels);
  const Shape weights{outputs, window.vertical.kernel, window.horizontal.kernel, group_channels};
  return make.sample(make_conv2d(window, make.chance(0.3)), input, weights, outputs, 0, {.runtime_weights = true});
}

}  // namespace

OperatorPtr make_conv2d(const SlidingWindow& window, bool asymmetric) {
  return std::make_shared<Conv2d>(window, asymmetric);
}

namespace op {

extern const OpDef conv2d{.name = "conv2d", .tflite = {{"CONV_2D", from_tflite}}, .sample = sample};

}  // namespace op
}  // namespace mote
