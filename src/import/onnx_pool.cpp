// SPDX-License-Identifier: Apache-2.0
// Pools of ONNX, and the normalisation over neighbouring channels, which is a pool over them.
#include <algorithm>
#include <limits>

#include "import/onnx_float.hpp"
#include "import/onnx_window.hpp"
#include "ops/pool.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// What the last window needs behind the input, so that there are as many windows as ONNX counts.
Padding exact_padding(const Dimension& one, int64_t input) {
  const int64_t reach = (one.outputs - 1) * one.window.stride + one.window.span() - input - one.padding.before;
  return {one.padding.before, std::max<int64_t>(0, reach)};
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

// The windows over the height and width of a stored image, with the padding that they need.
std::vector<Dimension> image_windows(std::vector<Dimension> dimensions, const Shape& image) {
  if (dimensions.size() == 1) dimensions.insert(dimensions.begin(), single_row);
  for (size_t d = 0; d < 2; ++d) dimensions[d].padding = exact_padding(dimensions[d], image[d + 1]);
  return dimensions;
}

// The sum of each window's elements, padding as zeros: a depthwise convolution with ones.
TensorId window_sums(Translator& t, TensorId id, const std::vector<Dimension>& windows) {
  const int64_t channels = t.builder().tensor(id).type.shape[3];
  const Shape shape{1, windows[0].window.kernel, windows[1].window.kernel, channels};
  const std::vector<float> ones(static_cast<size_t>(elements(shape)), 1.0F);
  const std::vector<TensorId> in{id, t.builder().constant(shape, ones)};
  return t.builder().add(make_depthwise_conv2d(sliding_window(windows)), in, {{DType::f32, {}, {}}})[0];
}

// For each window of one dimension how many of its elements count: those inside the image, or in the stated
// padding.
std::vector<int64_t> counted(const Dimension& one, int64_t input, bool count_padding) {
  const int64_t low = count_padding ? -one.padding.before : 0,
                high = input + (count_padding ? one.padding.after : 0);
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < one.outputs; ++i) {
    int64_t count = 0;
    for (int64_t k = 0; k < one.window.kernel; ++k) {
      const int64_t place = i * one.window.stride - one.padding.before + k * one.window.dilation;
      count += place >= low && place < high ? 1 : 0;
    }
    counts.push_back(std::max<int64_t>(count, 1));
  }
  return counts;
}

// Window sums, each divided by how many elements it counts.
void dilated_average(Translator& t, const std::vector<Dimension>& dimensions, bool count_padding) {
  Builder& builder = t.builder();
  const Value x = t.plain(0);
  const TensorId id = image(t, x);
  const Shape shape = builder.tensor(id).type.shape;
  const std::vector<Dimension> windows = image_windows(dimensions, shape);
  const Dimension& vertical = dimensions.size() == 2 ? dimensions[0] : single_row;
  std::vector<float> shares;
  for (const int64_t rows : counted(vertical, shape[1], count_padding)) {
    for (const int64_t columns : counted(dimensions.back(), shape[2], count_padding))
      shares.push_back(1.0F / static_cast<float>(rows * columns));
  }
  const TensorId share = builder.constant({1, windows[0].outputs, windows[1].outputs, 1}, shares);
  const TensorId mean =
      builder.add("MUL", tfl::MulOptionsT{}, {window_sums(t, id, windows), share}, {{DType::f32, {}, {}}})[0];
  t.give(0, {mean, image_layout(x.shape(), dimensions, shape[3])});
}

// The largest of the elements `dilation` apart in one dimension of a padded image.
TensorId dilated_maxima(Builder& builder, TensorId id, int32_t axis, const Dimension& one) {
  const auto row = [&](std::vector<int32_t> values) { return builder.constant({4}, values); };
  const TensorType type{DType::f32, {}, {}};
  TensorId largest = no_tensor;
  for (int64_t k = 0; k < one.window.kernel; ++k) {
    std::vector<int32_t> begin(4, 0), end(4, 0), step(4, 1);
    const auto place = static_cast<size_t>(axis);
    begin[place] = narrow<int32_t>(k * one.window.dilation);
    end[place] = narrow<int32_t>(begin[place] + (one.outputs - 1) * one.window.stride + 1);
    step[place] = narrow<int32_t>(one.window.stride);
    tfl::StridedSliceOptionsT options;
    options.end_mask = 15 & ~(1 << axis);
    const TensorId part = builder.add("STRIDED_SLICE", options, {id, row(begin), row(end), row(step)}, {type})[0];
    largest = largest == no_tensor
                  ? part
                  : builder.add("MAXIMUM", tfl::MaximumMinimumOptionsT{}, {largest, part}, {type})[0];
  }
  return largest;
}

void dilated_maximum(Translator& t, const std::vector<Dimension>& dimensions) {
  Builder& builder = t.builder();
  const Value x = t.plain(0);
  TensorId id = image(t, x);
  require(builder.tensor(id).type.dtype == DType::f32, "has dilations, which are supported for floats only");
  const std::vector<Dimension> windows = image_windows(dimensions, builder.tensor(id).type.shape);
  const auto margin = [](int64_t size) { return narrow<int32_t>(size); };
  const Padding &rows = windows[0].padding, &columns = windows[1].padding;
  if (rows.before + rows.after + columns.before + columns.after > 0) {
    const TensorId margins =
        builder.constant({4, 2}, std::vector<int32_t>{0, 0, margin(rows.before), margin(rows.after),
                                                      margin(columns.before), margin(columns.after), 0, 0});
    const TensorId lowest = builder.constant(Shape{}, std::vector<float>{std::numeric_limits<float>::lowest()});
    id = builder.add("PADV2", tfl::PadV2OptionsT{}, {id, margins, lowest}, {{DType::f32, {}, {}}})[0];
  }
  for (int32_t d = 0; d < 2; ++d) id = dilated_maxima(builder, id, d + 1, windows[static_cast<size_t>(d)]);
  t.give(0, {id, image_layout(x.shape(), dimensions, x.shape()[1])});
}

bool dilated(const std::vector<Dimension>& dimensions) {
  return std::any_of(dimensions.begin(), dimensions.end(),
                     [](const Dimension& one) { return one.window.dilation != 1; });
}

void pool(Translator& t, const std::vector<Dimension>& dimensions,
          OperatorPtr (*make)(const op::Pooling::Parameters&), bool count_padding) {
  Value x = t.in(0);
  const Shape input = x.shape();
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

void max_pool(Translator& t) {
  t.node().ignore("storage_order");  // of the indices
  require(!t.wanted(1), "gives the indices of its maxima, which is not supported; compute with its maxima only");
  const std::vector<Dimension> dimensions = dimensions_of(t, t.shape(0), t.node().integers("kernel_shape"));
  if (dilated(dimensions)) return dilated_maximum(t, dimensions);
  pool(t, dimensions, op::make_max_pool, false);
}

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
  const bool count_padding = t.node().integer("count_include_pad", 0) != 0 && pads_at_all;
  const std::vector<Dimension> dimensions = dimensions_of(t, t.shape(0), t.node().integers("kernel_shape"));
  if (dilated(dimensions)) return dilated_average(t, dimensions, count_padding);
  pool(t, dimensions, op::make_avg_pool, count_padding);
}

// value^number, by products and roots where they are the same.
Value powered(FloatMath& math, Builder& builder, const Value& value, float number) {
  if (number == 1.0F) return value;
  if (number == 2.0F) return math.multiply(value, value);
  if (number == 0.5F) return math.unary("SQRT", value);
  Broadcast operands = broadcast(builder, {value, math.number(number)});
  return {builder.add("POW", operands.ids, {{DType::f32, {}, {}}})[0], std::move(operands.layout)};
}

// The p-th root of the sum of the p-th powers.
void lp_pool(Translator& t) {
  Builder& builder = t.builder();
  FloatMath math(builder);
  const Value x = t.plain(0);
  const std::vector<Dimension> dimensions = dimensions_of(t, x.shape(), t.node().integers("kernel_shape"));
  const auto p = static_cast<float>(t.node().integer("p", 2));
  require(p >= 1.0F, "has p={}, which must be positive", p);
  const TensorId id = image(t, powered(math, builder, p == 2.0F ? x : math.unary("ABS", x), p));
  const TensorId sums = window_sums(t, id, image_windows(dimensions, builder.tensor(id).type.shape));
  t.give(0, powered(math, builder, {sums, image_layout(x.shape(), dimensions, x.shape()[1])}, 1.0F / p));
}

// x / (bias + alpha / size * sum of the squares of `size` neighbouring channels)^beta
void local_response_norm(Translator& t) {
  Builder& builder = t.builder();
  FloatMath math(builder);
  const Value x = t.plain(0);
  const Shape shape = x.shape();
  require(shape.size() >= 2, "has an input of rank {}; it needs a batch and channels", shape.size());
  const int64_t size = t.node().integer("size"), channels = shape[1];
  require(size > 0 && size <= 2 * channels, "sums {} channels of {}", size, to_text(shape));
  const float alpha = t.node().real("alpha", 1e-4F), beta = t.node().real("beta", 0.75F),
              bias = t.node().real("bias", 1.0F);
  const Permutation order = channels_last(shape.size());
  const TensorId squares = builder.stored(math.multiply(x, x), order);
  // Channels as the width of an image of one channel, so that a window slides over them.
  const TensorId rows = builder.with_shape(squares, {1, elements(shape) / channels, channels, 1});
  Dimension window{{size, 1, 1}, {(size - 1) / 2, size / 2}, channels};
  const TensorId sums = builder.with_shape(window_sums(t, rows, {single_row, window}), permuted(shape, order));
  const Value sum{sums, layout_of(shape, order)};
  const Value base = math.add(math.multiply(sum, alpha / static_cast<float>(size)), bias);
  t.give(0, math.divide(x, powered(math, builder, base, beta)));
}

constexpr Translation table[] = {
    {"AveragePool", average_pool}, {"LRN", local_response_norm}, {"LpPool", lp_pool}, {"MaxPool", max_pool}};

}  // namespace

std::span<const Translation> pool_translations() { return table; }

}  // namespace mote::onnx
