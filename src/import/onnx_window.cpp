// SPDX-License-Identifier: Apache-2.0
// Convolutions of ONNX, and how windows slide: they want their input's channels last.
#include "import/onnx_window.hpp"

#include <algorithm>
#include <cmath>

#include "import/onnx_weights.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

constexpr int64_t largest = 65535;  // kernel, stride, dilation or padding

int64_t at(const std::vector<int64_t>& list, size_t index, int64_t otherwise, std::string_view what,
           size_t expected) {
  if (list.empty()) return otherwise;
  require(list.size() == expected, "has {} numbers as its {}, its input needs {}", list.size(), what, expected);
  return list[index];
}

Padding automatic_padding(const std::string& mode, int64_t input, const Window& window) {
  if (mode == "VALID") return {};
  require(mode == "SAME_UPPER" || mode == "SAME_LOWER", "has auto_pad '{}', which Mote does not know", mode);
  const int64_t outputs = (input + window.stride - 1) / window.stride;
  const int64_t total = std::max<int64_t>(0, (outputs - 1) * window.stride + window.span() - input);
  const int64_t small = total / 2;
  return mode == "SAME_UPPER" ? Padding{small, total - small} : Padding{total - small, small};
}

// Rounding up may add a window; it must start in the input or in the padding before it.
int64_t rounded_up_outputs(int64_t input, const Padding& padding, const Window& window) {
  const int64_t room = input + padding.before + padding.after - window.span();
  int64_t outputs = (room + window.stride - 1) / window.stride + 1;
  if ((outputs - 1) * window.stride >= input + padding.before) --outputs;
  return outputs;
}

}  // namespace

// The windows over the spatial dimensions of `shape` (N, C, spatial...), from the node's attributes.
std::vector<Dimension> dimensions_of(const Translator& t, const Shape& shape, const std::vector<int64_t>& kernel) {
  const Node& node = t.node();
  require(shape.size() >= 3, "has an input of rank {}; it needs a batch, channels and at least one more dimension",
          shape.size());
  const size_t count = shape.size() - 2;
  require(count <= 2, "slides over {} dimensions; one and two are supported", count);
  const std::vector<int64_t> strides = node.integers("strides"), dilations = node.integers("dilations"),
                             pads = node.integers("pads");
  const std::string mode = node.text("auto_pad", "NOTSET");
  const bool up = node.integer("ceil_mode", 0) != 0;
  require(
      mode == "NOTSET" || pads.empty() || std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; }),
      "has both auto_pad and pads");
  std::vector<Dimension> result;
  for (size_t d = 0; d < count; ++d) {
    Dimension one;
    const int64_t input = shape[d + 2];
    one.window = {at(kernel, d, 1, "kernel_shape", count), at(strides, d, 1, "strides", count),
                  at(dilations, d, 1, "dilations", count)};
    require(one.window.kernel > 0 && one.window.stride > 0 && one.window.dilation > 0,
            "has a kernel of {}, stride {} and dilation {}; all must be positive", one.window.kernel,
            one.window.stride, one.window.dilation);
    require(std::max({one.window.kernel, one.window.stride, one.window.dilation}) <= largest,
            "has a kernel of {}, stride {} and dilation {}, which are too large", one.window.kernel,
            one.window.stride, one.window.dilation);
    one.padding = mode == "NOTSET"
                      ? Padding{at(pads, d, 0, "pads", 2 * count), at(pads, count + d, 0, "pads", 2 * count)}
                      : automatic_padding(mode, input, one.window);
    require(one.padding.before >= 0 && one.padding.after >= 0,
            "has negative pads, which is not supported; slice the "
            "input instead");
    require(std::max(one.padding.before, one.padding.after) <= largest,
            "has pads of {} and {}, which are too large", one.padding.before, one.padding.after);
    one.outputs = up && mode == "NOTSET" ? rounded_up_outputs(input, one.padding, one.window)
                                         : window_outputs(input, one.padding, one.window);
    result.push_back(one);
  }
  return result;
}

// The input as N, height, width, C; a sequence is one row high.
TensorId image(Translator& t, const Value& value) {
  const Shape shape = value.shape();
  const TensorId id = t.builder().stored(value, channels_last(shape.size()));
  if (shape.size() == 4) return id;
  return t.builder().with_shape(id, {shape[0], 1, shape[2], shape[1]});
}

Layout image_layout(const Shape& input, const std::vector<Dimension>& dimensions, int64_t channels) {
  Shape shape{input[0], channels};
  for (const Dimension& one : dimensions) shape.push_back(one.outputs);
  return layout_of(shape, channels_last(shape.size()));
}

namespace {

struct ConvShape {
  Shape input, kernel;  // as ONNX has them
  int64_t groups = 1;
  std::vector<Dimension> dimensions;
};

ConvShape conv_shape(const Translator& t) {
  const Shape input = t.shape(0), kernel = t.shape(1);
  require(kernel.size() == input.size() && kernel.size() >= 3,
          "has weights {} for an input {}; both need a batch, channels and at least one more dimension",
          to_text(kernel), to_text(input));
  const std::vector<int64_t> stated = t.node().integers("kernel_shape");
  require(stated.empty() || stated == Shape(kernel.begin() + 2, kernel.end()),
          "has kernel_shape {} but weights {}", to_text(stated), to_text(kernel));
  const std::vector<Dimension> dimensions = dimensions_of(t, input, Shape(kernel.begin() + 2, kernel.end()));
  const int64_t groups = t.node().integer("group", 1);
  require(groups > 0 && input[1] == groups * kernel[1] && kernel[0] % groups == 0,
          "has weights {} and {} groups, which do not fit an input of {} channels", to_text(kernel), groups,
          input[1]);
  return {input, kernel, groups, dimensions};
}

}  // namespace

SlidingWindow sliding_window(const std::vector<Dimension>& dimensions) {
  SlidingWindow window;
  const Dimension& vertical = dimensions.size() == 2 ? dimensions[0] : single_row;
  window.vertical = vertical.window;
  window.horizontal = dimensions.back().window;
  window.pad_vertical = vertical.padding;
  window.pad_horizontal = dimensions.back().padding;
  return window;
}

namespace {

void conv(Translator& t) {
  Value x = t.in(0);
  Weights weights(t, 1, 2, 0);
  const auto [input, kernel, groups, dimensions] = conv_shape(t);
  const Mode mode = weights.mode(x);
  const bool depthwise = groups > 1 && kernel[1] == 1;
  // ONNX: out, in / groups, height, width
  Permutation order = depthwise ? Permutation{1, 2, 3, 0} : Permutation{0, 2, 3, 1};
  if (kernel.size() == 3) order = depthwise ? Permutation{1, 2, 0} : Permutation{0, 2, 1};
  TensorId filter = t.builder().stored(weights.weights(), order);
  if (kernel.size() == 3) filter = t.builder().with_unit_dimension(filter, depthwise ? 0 : 1);
  SlidingWindow window = sliding_window(dimensions);
  window.activation = activation_from_tflite(static_cast<int>(mode.activation));
  std::vector<TensorId> in{image(t, x), filter};
  if (const auto bias = weights.bias(in[0])) in.push_back(*bias);
  const OperatorPtr op = depthwise ? make_depthwise_conv2d(window) : make_conv2d(window);
  t.give_mode(mode, t.builder().add(op, in, {mode.type})[0], image_layout(input, dimensions, kernel[0]));
}

// Real activations that are quantised on the device, with i8 weights.
void dynamic_conv(Translator& t) {
  Builder& builder = t.builder();
  const auto [input, kernel, groups, dimensions] = conv_shape(t);
  require(input[0] == 1, "quantises a batch of {} images with one scale, which is not supported; use a batch of 1",
          input[0]);
  const Permutation order = kernel.size() == 3 ? Permutation{0, 2, 1} : Permutation{0, 2, 3, 1};
  TensorId filter = builder.stored(scaled_weights(t, 0), order);
  if (kernel.size() == 3) filter = builder.with_unit_dimension(filter, 1);
  Value x = t.plain(0);
  std::vector<TensorId> in{image(t, x), filter};
  if (const auto bias = take_bias(t, kernel[0], kernel.size() - 2))
    in.push_back(builder.constant({kernel[0]}, *bias));
  SlidingWindow window = sliding_window(dimensions);
  window.activation = activation_from_tflite(static_cast<int>(t.mode({&x}, true).activation));
  const OperatorPtr op = make_conv2d(window, true);
  t.give(0, {builder.add(op, in, {{DType::f32, {}, {}}})[0], image_layout(input, dimensions, kernel[0])});
}

// Of a transposed convolution: how much of the whole result of all windows is cut off in front, and the size kept.
struct Crop {
  int64_t before = 0, size = 0;
};

Crop crop_of(const Translator& t, size_t d, size_t count, int64_t input, const Window& window) {
  const Node& node = t.node();
  const std::vector<int64_t> pads = node.integers("pads"), extra = node.integers("output_padding");
  std::vector<int64_t> sizes = node.integers("output_shape");
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (sizes.size() == count + 2) sizes.erase(sizes.begin(), sizes.begin() + 2);
  const int64_t all = (input - 1) * window.stride + window.span() + at(extra, d, 0, "output_padding", count);
  if (sizes.empty() && mode == "NOTSET") {
    const int64_t before = at(pads, d, 0, "pads", 2 * count), after = at(pads, count + d, 0, "pads", 2 * count);
    return {before, all - before - after};
  }
  if (mode == "VALID" && sizes.empty()) return {0, all};
  const int64_t size = sizes.empty() ? input * window.stride : at(sizes, d, 0, "output_shape", count);
  const int64_t total = std::max<int64_t>(0, all - size);
  return {mode == "SAME_UPPER" ? total / 2 : total - total / 2, size};
}

// Dilated weights as weights of a larger kernel.
Value with_zeros_between(Builder& builder, const Value& weights, const std::vector<int64_t>& dilations) {
  if (std::all_of(dilations.begin(), dilations.end(), [](int64_t one) { return one == 1; })) return weights;
  const Shape shape = weights.shape();
  const Tensor source = builder.tensor(builder.stored(weights, identity(shape.size())));
  require(
      std::all_of(source.type.quant.zero.begin(), source.type.quant.zero.end(),
                  [](int32_t zero) { return zero == 0; }),
      "has dilations and weights with a zero point, which is not supported; quantise the weights symmetrically");
  TensorType type = source.type;
  for (size_t d = 0; d < dilations.size(); ++d) type.shape[d + 2] = (shape[d + 2] - 1) * dilations[d] + 1;
  require(byte_size(type) <= (int64_t{1} << 24), "has dilations that make its weights {}, which is too large",
          to_text(type.shape));
  const auto element_bytes = static_cast<int64_t>(bits(type.dtype) / 8);
  Bytes data(static_cast<size_t>(byte_size(type)));
  for (int64_t i = 0; i < elements(shape); ++i) {
    int64_t place = 0, rest = i, stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      place += rest % shape[d] * (d < 2 ? 1 : dilations[d - 2]) * stride;
      rest /= shape[d];
      stride *= type.shape[d];
    }
    std::copy_n(source.data.begin() + i * element_bytes, element_bytes, data.begin() + place * element_bytes);
  }
  const Shape wide = type.shape;
  return {builder.add_tensor(source.name, std::move(type), std::move(data)),
          layout_of(wide, identity(wide.size()))};
}

void transposed_conv(Translator& t) {
  Value x = t.in(0);
  Weights weights(t, 1, 2, 1);
  const Shape input = x.shape(), kernel = t.shape(1);
  require(input.size() == kernel.size() && (input.size() == 3 || input.size() == 4) && kernel[0] == input[1],
          "has weights {} for an input {}; one and two dimensions are supported", to_text(kernel), to_text(input));
  require(t.node().integer("group", 1) == 1, "has groups, which is not supported for transposed convolutions");
  (void)t.node().integers("kernel_shape");  // that of the weights
  const size_t count = input.size() - 2;
  const std::vector<int64_t> strides = t.node().integers("strides"), dilations = t.node().integers("dilations");
  std::vector<Dimension> dimensions;
  for (size_t d = 0; d < count; ++d) {
    const Window window{kernel[d + 2], at(strides, d, 1, "strides", count),
                        at(dilations, d, 1, "dilations", count)};
    require(window.kernel > 0 && window.stride > 0 && window.dilation > 0 &&
                std::max({window.kernel, window.stride, window.dilation}) <= largest,
            "has a kernel of {}, stride {} and dilation {}; all must be positive, up to {}", window.kernel,
            window.stride, window.dilation, largest);
    const Crop crop = crop_of(t, d, count, input[d + 2], window);
    require(crop.size > 0 && crop.before >= 0, "gives no output");
    dimensions.push_back({{window.span(), window.stride, 1}, {crop.before, 0}, crop.size});
  }
  const Mode mode = weights.mode(x);
  const Value spread = with_zeros_between(t.builder(), weights.weights(), dilations);
  TensorId filter = t.builder().stored(spread, count == 2 ? Permutation{1, 2, 3, 0} : Permutation{1, 2, 0});
  if (count == 1) filter = t.builder().with_unit_dimension(filter, 1);
  const Dimension& vertical = count == 2 ? dimensions[0] : single_row;
  SlidingWindow window;
  window.vertical = vertical.window;
  window.horizontal = dimensions.back().window;
  window.pad_vertical = vertical.padding;
  window.pad_horizontal = dimensions.back().padding;
  window.activation = activation_from_tflite(static_cast<int>(mode.activation));
  std::vector<TensorId> in{image(t, x), filter};
  if (const auto bias = weights.bias(in[0])) in.push_back(*bias);
  const OperatorPtr op = make_transpose_conv(window, vertical.outputs, dimensions.back().outputs);
  t.give_mode(mode, t.builder().add(op, in, {mode.type})[0], image_layout(input, dimensions, kernel[1]));
}

constexpr Translation table[] = {
    {"Conv", conv}, {"ConvInteger", dynamic_conv}, {"ConvTranspose", transposed_conv}};

}  // namespace

std::span<const Translation> window_translations() { return table; }

}  // namespace mote::onnx
