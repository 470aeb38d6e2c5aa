// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools of ONNX: they want their input's channels last.
#include <algorithm>
#include <cmath>

#include "import/onnx_translator.hpp"
#include "import/onnx_weights.hpp"
#include "ops/convolution.hpp"
#include "ops/pool.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

struct Dimension {
  Window window;
  Padding padding;
  int64_t outputs = 0;
};

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
    one.padding = mode == "NOTSET"
                      ? Padding{at(pads, d, 0, "pads", 2 * count), at(pads, count + d, 0, "pads", 2 * count)}
                      : automatic_padding(mode, input, one.window);
    require(one.padding.before >= 0 && one.padding.after >= 0, "has negative pads, which is not supported");
    one.outputs = up && mode == "NOTSET" ? rounded_up_outputs(input, one.padding, one.window)
                                         : window_outputs(input, one.padding, one.window);
    result.push_back(one);
  }
  return result;
}

// What the last window needs behind the input, so that there are as many windows as ONNX counts.
Padding exact_padding(const Dimension& one, int64_t input) {
  const int64_t reach = (one.outputs - 1) * one.window.stride + one.window.span() - input - one.padding.before;
  return {one.padding.before, std::max<int64_t>(0, reach)};
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

// One row: the height's window covers exactly it.
const Dimension single_row{{1, 1, 1}, {0, 0}, 1};

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

SlidingWindow sliding_window(const std::vector<Dimension>& dimensions) {
  SlidingWindow window;
  const Dimension& vertical = dimensions.size() == 2 ? dimensions[0] : single_row;
  window.vertical = vertical.window;
  window.horizontal = dimensions.back().window;
  window.pad_vertical = vertical.padding;
  window.pad_horizontal = dimensions.back().padding;
  return window;
}

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

// Zeros around the image that count as its elements; no padding is left for the windows then.
TensorId padded(Translator& t, TensorId id, Dimension& vertical, Dimension& horizontal) {
  std::vector<int32_t> margins(8, 0);
  margins[2] = narrow<int32_t>(vertical.padding.before);
  margins[3] = narrow<int32_t>(vertical.padding.after);
  margins[4] = narrow<int32_t>(horizontal.padding.before);
  margins[5] = narrow<int32_t>(horizontal.padding.after);
  vertical.padding = horizontal.padding = {};
  const TensorId list = t.builder().constant({4, 2}, margins);
  return t.builder().add("PAD", tfl::PadOptionsT{}, {id, list}, {t.builder().tensor(id).type})[0];
}

op::Pooling::Parameters pooling(const Shape& image, Dimension vertical, Dimension horizontal,
                                FusedActivation activation) {
  op::Pooling::Parameters parameters;
  parameters.height = vertical.window;
  parameters.width = horizontal.window;
  parameters.pad_height = exact_padding(vertical, image[1]);
  parameters.pad_width = exact_padding(horizontal, image[2]);
  parameters.activation = activation_from_tflite(static_cast<int>(activation));
  return parameters;
}

void pool(Translator& t, OperatorPtr (*make)(const op::Pooling::Parameters&), bool count_padding) {
  Value x = t.in(0);
  const Shape input = x.shape();
  const std::vector<Dimension> dimensions = dimensions_of(t, input, t.node().integers("kernel_shape"));
  for (const Dimension& one : dimensions) {
    require(one.window.dilation == 1, "has dilation {}, which is not supported for pools", one.window.dilation);
  }
  t.node().ignore("storage_order");  // of the indices
  require(!t.wanted(1), "gives the indices of its maxima, which is not supported");
  const bool moves = t.moves_quantised({&x});
  Mode mode;
  mode.type = t.builder().tensor(x.id).type;
  if (!moves) mode = t.mode({&x}, true);
  Dimension vertical = dimensions.size() == 2 ? dimensions[0] : single_row;
  Dimension horizontal = dimensions.back();
  TensorId id = image(t, x);
  if (count_padding) id = padded(t, id, vertical, horizontal);
  const TensorType from = t.builder().tensor(id).type;
  TensorType type = mode.type;
  type.quant = from.quant;  // pools keep it
  id = t.builder().add(make(pooling(from.shape, vertical, horizontal, mode.activation)), {id}, {type})[0];
  if (mode.integer() && type.quant != mode.type.quant) id = t.builder().add("QUANTIZE", {id}, {mode.type})[0];
  Layout layout = image_layout(input, dimensions, input[1]);
  if (!moves) return t.give_mode(mode, id, std::move(layout));
  t.give(0, {id, std::move(layout), x.meaning, x.unsigned_codes});
}

void max_pool(Translator& t) { pool(t, op::make_max_pool, false); }

// One window over the whole image is a mean, which also changes the quantisation in one rounding.
bool covers_image(const Translator& t) {
  const Shape shape = t.shape(0);
  const std::vector<int64_t> pads = t.node().integers("pads");
  return shape.size() >= 3 && t.node().integers("kernel_shape") == Shape(shape.begin() + 2, shape.end()) &&
         std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
}

void average_pool(Translator& t) {
  if (covers_image(t)) {
    for (const char* const name : {"strides", "auto_pad", "ceil_mode", "count_include_pad", "dilations"})
      t.node().ignore(name);
    return global_average(t);
  }
  const std::vector<int64_t> pads = t.node().integers("pads");
  const bool pads_at_all = std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; }) ||
                           t.node().text("auto_pad", "NOTSET") != "NOTSET";
  pool(t, op::make_avg_pool, t.node().integer("count_include_pad", 0) != 0 && pads_at_all);
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
    require(window.stride > 0 && window.dilation == 1,
            "has stride {} and dilation {}; dilation is not supported for transposed convolutions", window.stride,
            window.dilation);
    const Crop crop = crop_of(t, d, count, input[d + 2], window);
    require(crop.size > 0 && crop.before >= 0, "gives no output");
    dimensions.push_back({window, {crop.before, 0}, crop.size});
  }
  const Mode mode = weights.mode(x);
  TensorId filter =
      t.builder().stored(weights.weights(), count == 2 ? Permutation{1, 2, 3, 0} : Permutation{1, 2, 0});
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

constexpr Translation table[] = {{"AveragePool", average_pool},
                                 {"Conv", conv},
                                 {"ConvInteger", dynamic_conv},
                                 {"ConvTranspose", transposed_conv},
                                 {"MaxPool", max_pool}};

}  // namespace

std::span<const Translation> window_translations() { return table; }

}  // namespace mote::onnx
