// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution.hpp"

#include <algorithm>

#include "ops/strip.hpp"

namespace mote {

std::string to_text(const SlidingWindow& window) {
  std::string text = fmt::format("stride={}x{} pad={},{},{},{}", window.vertical.stride, window.horizontal.stride,
                                 window.pad_vertical.before, window.pad_horizontal.before,
                                 window.pad_vertical.after, window.pad_horizontal.after);
  if (window.vertical.dilation != 1 || window.horizontal.dilation != 1) {
    text += fmt::format(" dilation={}x{}", window.vertical.dilation, window.horizontal.dilation);
  }
  if (window.activation != Activation::none) text += fmt::format(" activation={}", name(window.activation));
  return text;
}

std::optional<IntegerForm> weighted_form(Inputs in, Activation activation, WeightedInputs weights) {
  const bool constant_bias = in.size() < 3 || in[2] == nullptr || in[2]->constant();
  if (!in[1]->constant() || in[1]->type.dtype != DType::f32 || !constant_bias) return std::nullopt;
  weights.keeps_scaling = activation == Activation::none || activation == Activation::relu;
  IntegerForm form;
  form.sum = weights;
  return form;
}

namespace convolution {

namespace {

void check_bias(const Tensor& bias, DType input, int64_t out_channels) {
  require(bias.constant(), "has biases that are computed at run time; only constant ones are supported");
  const DType dtype = bias.type.dtype;
  const bool right = input == DType::f32  ? dtype == DType::f32
                     : input == DType::i8 ? dtype == DType::i32
                                          : dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i16;
  require(right, "has biases of type {}, its input needs {}", name(dtype),
          input == DType::f32  ? "f32"
          : input == DType::i8 ? "i32"
                               : "i64 or i32");
  require(elements(bias.type.shape) == out_channels, "has {} biases for {} output channels",
          elements(bias.type.shape), out_channels);
}

// Integer weights with any activations, or real ones with real activations.
void check_weights(const Tensor& weights, DType input, int64_t out_channels, int channel_axis) {
  const DType dtype = weights.type.dtype;
  const bool integer = dtype == DType::i8 || dtype == DType::i4;
  require(integer || (dtype == DType::f32 && input == DType::f32), "has weights of type {}, its input needs {}",
          name(dtype), input == DType::f32 ? "f32 or i8" : "i8");
  if (!weights.constant()) {
    require(dtype == input || (dtype == DType::i8 && input == DType::i16),
            "has weights of type {} that are computed at run time; only constant ones are supported", name(dtype));
  }
  if (!integer) return;
  const Quantization& quant = weights.type.quant;
  const auto count = static_cast<int64_t>(quant.scale.size());
  require(count == 1 || count == out_channels, "has {} scales for the weights of {} output channels", count,
          out_channels);
  require(count == 1 || quant.axis == channel_axis,
          "quantises its weights along axis {}, the output channels are {}", quant.axis, channel_axis);
}

}  // namespace

void check_inputs(Inputs in) {
  require(in.size() == 2 || in.size() == 3, "has {} inputs, two or three are expected", in.size());
  require(in[0] != nullptr && in[1] != nullptr, "lacks its input or its weights");
}

void check_kernel(const SlidingWindow& window, const Shape& weights) {
  require(weights[1] == window.vertical.kernel && weights[2] == window.horizontal.kernel,
          "has weights {} for a window of {}x{}", to_text(weights), window.vertical.kernel,
          window.horizontal.kernel);
}

void check_types(Inputs in, const Types& declared, int64_t out_channels, int channel_axis) {
  require(declared.size() == 1, "has {} outputs, one is expected", declared.size());
  const DType dtype = in[0]->type.dtype;
  require(dtype == DType::i8 || dtype == DType::i16 || dtype == DType::f32,
          "has an input of type {}; i8, i16 and f32 are supported", name(dtype));
  require(declared[0].dtype == dtype, "has an input of type {} and an output of type {}; they must be equal",
          name(dtype), name(declared[0].dtype));
  check_weights(*in[1], dtype, out_channels, channel_axis);
  if (in.size() > 2 && in[2] != nullptr) check_bias(*in[2], dtype, out_channels);
  if (dtype == DType::f32) return;
  for (const TensorType* type : {&in[0]->type, &declared[0]}) {
    const bool input = type == &in[0]->type;
    require(tensor_scale(*type, input ? "input" : "output") > 0.0F, "has a scale that is not positive");
    const int32_t zero = tensor_zero(*type, input ? "input" : "output");
    require(dtype == DType::i16 ? zero == 0 : zero >= -128 && zero <= 127, "has zero point {}, which {} {}", zero,
            name(dtype), dtype == DType::i16 ? "convolutions do not allow; it must be 0" : "cannot hold");
  }
}

void check_static_or_symmetric(const Tensor& weights) {
  if (weights.constant()) return;
  for (const int32_t zero : weights.type.quant.zero) {
    require(zero == 0, "has weights with zero point {} that are computed at run time; quantise them symmetrically",
            zero);
  }
}

Shape window_output(const SlidingWindow& window, const Shape& input, int64_t channels) {
  return {input[0], window_outputs(input[1], window.pad_vertical, window.vertical),
          window_outputs(input[2], window.pad_horizontal, window.horizontal), channels};
}

nn::Conv2d window_shape(const SlidingWindow& window, const Shape& input, const Shape& output) {
  nn::Conv2d shape{};
  shape.batches = narrow<int32_t>(input[0]);
  shape.in_height = narrow<int32_t>(input[1]);
  shape.in_width = narrow<int32_t>(input[2]);
  shape.in_channels = narrow<int32_t>(input[3]);
  shape.out_height = narrow<int32_t>(output[1]);
  shape.out_width = narrow<int32_t>(output[2]);
  shape.out_channels = narrow<int32_t>(output[3]);
  shape.kernel_height = narrow<int32_t>(window.vertical.kernel);
  shape.kernel_width = narrow<int32_t>(window.horizontal.kernel);
  shape.stride_height = narrow<int32_t>(window.vertical.stride);
  shape.stride_width = narrow<int32_t>(window.horizontal.stride);
  shape.dilation_height = narrow<int32_t>(window.vertical.dilation);
  shape.dilation_width = narrow<int32_t>(window.horizontal.dilation);
  shape.pad_top = narrow<int32_t>(window.pad_vertical.before);
  shape.pad_left = narrow<int32_t>(window.pad_horizontal.before);
  return shape;
}

Region input_region(const Problem& problem, const Region& output) {
  const nn::Conv2d& shape = problem.shape;
  Region region = output;
  if (hybrid(problem)) {  // an image's largest value matters to all of its elements
    region.dims[1] = {0, shape.in_height}, region.dims[2] = {0, shape.in_width};
    region.dims[3] = {0, shape.in_channels};
    return region;
  }
  const auto reach = [](const Region::Range& range, int64_t stride, int64_t pad, int64_t span, int64_t extent) {
    const int64_t low = std::clamp<int64_t>(range.low * stride - pad, 0, extent);
    const int64_t high = std::clamp<int64_t>((range.high - 1) * stride - pad + span, 0, extent);
    return Region::Range{low, std::max(low, high)};
  };
  const Window vertical{shape.kernel_height, shape.stride_height, shape.dilation_height};
  const Window horizontal{shape.kernel_width, shape.stride_width, shape.dilation_width};
  region.dims[1] = reach(output.dims[1], vertical.stride, shape.pad_top, vertical.span(), shape.in_height);
  region.dims[2] = reach(output.dims[2], horizontal.stride, shape.pad_left, horizontal.span(), shape.in_width);
  const Region::Range channels = output.dims[3];
  region.dims[3] = {channels.low / shape.group_outputs * shape.group_channels,
                    ((channels.high - 1) / shape.group_outputs + 1) * shape.group_channels};
  if (output.empty()) region.dims[3] = {0, 0};
  return region;
}

int64_t macs(const nn::Conv2d& shape) {
  const int64_t outputs = int64_t{shape.batches} * shape.out_height * shape.out_width * shape.out_channels;
  return outputs * shape.kernel_height * shape.kernel_width * shape.group_channels;
}

namespace {

// The sum over one window of output channel `c`, in double.
double window_sum(const nn::Conv2d& p, const double* in, const double* weights, int32_t y, int32_t x, int32_t c) {
  double sum = 0.0;
  for (int32_t ky = 0; ky < p.kernel_height; ++ky) {
    for (int32_t kx = 0; kx < p.kernel_width; ++kx) {
      const int32_t in_y = y * p.stride_height - p.pad_top + ky * p.dilation_height;
      const int32_t in_x = x * p.stride_width - p.pad_left + kx * p.dilation_width;
      if (in_y < 0 || in_y >= p.in_height || in_x < 0 || in_x >= p.in_width) continue;
      for (int32_t k = 0; k < p.group_channels; ++k) {
        const int64_t channel = int64_t{c / p.group_outputs} * p.group_channels + k;
        const int64_t tap = ((int64_t{c} * p.kernel_height + ky) * p.kernel_width + kx) * p.group_channels + k;
        sum += in[(int64_t{in_y} * p.in_width + in_x) * p.in_channels + channel] * weights[tap];
      }
    }
  }
  return sum;
}

// What the device computes with where it quantises real activations itself: in float, because one step more or
// less is more than the tolerance of a sum.
std::vector<double> quantised_images(const std::vector<double>& values, int64_t images, bool asymmetric) {
  std::vector<double> result;
  const auto size = static_cast<ptrdiff_t>(values.size()) / images;
  for (auto first = values.begin(); first != values.end(); first += size) {
    const auto low = static_cast<float>(std::min(0.0, *std::min_element(first, first + size)));
    const auto high = static_cast<float>(std::max(0.0, *std::max_element(first, first + size)));
    const float largest = std::max(high, -low);
    const float scale = asymmetric ? (high - low) / 255.0F : largest / 127.0F;
    const float steps = asymmetric ? 1.0F / scale : 127.0F / largest;
    const float zero = asymmetric && scale > 0.0F ? std::round(-128.0F - low / scale) : 0.0F;
    for (auto value = first; value != first + size; ++value) {
      const float code = scale > 0.0F ? std::round(static_cast<float>(*value) * steps + zero) : zero;
      result.push_back(static_cast<double>(scale) * static_cast<double>(std::clamp(code, -128.0F, 127.0F) - zero));
    }
  }
  return result;
}

}  // namespace

std::vector<double> reference(const Problem& problem, const Reals& x) {
  const nn::Conv2d& shape = problem.shape;
  const std::vector<double> input =
      hybrid(problem) ? quantised_images(x[0], shape.batches, problem.asymmetric) : x[0];
  const std::vector<double> weights = problem.channels_last ? channels_first(x[1], shape.out_channels) : x[1];
  std::vector<double> result;
  const double* in = input.data();
  for (int32_t batch = 0; batch < shape.batches; ++batch) {
    for (int32_t y = 0; y < shape.out_height; ++y) {
      for (int32_t x_out = 0; x_out < shape.out_width; ++x_out) {
        for (int32_t c = 0; c < shape.out_channels; ++c) {
          const double start = problem.bias == nullptr ? 0.0 : x[2][static_cast<size_t>(c)];
          result.push_back(apply(problem.activation, start + window_sum(shape, in, weights.data(), y, x_out, c)));
        }
      }
    }
    in += int64_t{shape.in_height} * shape.in_width * shape.in_channels;
  }
  return result;
}

}  // namespace convolution

OperatorPtr Convolution::rows(const RowStrip& strip, Inputs in, const Types& out) const {
  if (convolution::hybrid(problem(in, out)) || !in[1]->constant()) return nullptr;
  if (reads_padding_only(strip)) return nullptr;
  SlidingWindow window = window_;
  window.pad_vertical = strip_padding(window_.vertical, window_.pad_vertical.before, strip);
  return with_window(window);
}

}  // namespace mote
