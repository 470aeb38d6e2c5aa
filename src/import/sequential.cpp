// SPDX-License-Identifier: Apache-2.0
#include "import/sequential.hpp"

#include <bit>
#include <cmath>

#include "base/identifier.hpp"
#include "ops/functions.hpp"
#include "ops/move.hpp"
#include "ops/pool.hpp"
#include "ops/reshape.hpp"
#include "ops/shifted_sum.hpp"

namespace mote {

namespace {

const Quantization plain{{1.0F}, {0}, -1};  // integers that stand for themselves

SlidingWindow sliding(const Sequential::Window& window) {
  require(window.height > 0 && window.width > 0 && window.stride > 0 && window.padding >= 0,
          "has a window of {}x{}, stride {}, padding {}; sizes and strides are at least 1", window.height,
          window.width, window.stride, window.padding);
  SlidingWindow result;
  result.vertical = {window.height, window.stride, 1};
  result.horizontal = {window.width, window.stride, 1};
  result.pad_vertical = result.pad_horizontal = {window.padding, window.padding};
  return result;
}

// [outer][from][to] to [outer][to][from].
std::vector<int8_t> swapped(const std::vector<int8_t>& values, int64_t from, int64_t to) {
  std::vector<int8_t> result(values.size());
  const auto f = static_cast<size_t>(from), t = static_cast<size_t>(to);
  for (size_t i = 0; i < values.size(); ++i) result[i / (f * t) * (f * t) + i % t * f + i / t % f] = values[i];
  return result;
}

void require_count(size_t given, int64_t wanted, std::string_view what, const Shape& shape) {
  require(static_cast<int64_t>(given) == wanted, "has {} {}, it needs {} ({})", given, what, wanted,
          to_text(shape));
}

}  // namespace

int32_t shift_for(int64_t inputs) {
  return inputs <= 1 ? 7 : 7 + static_cast<int32_t>(std::bit_width(static_cast<uint64_t>(inputs - 1)));
}

Sequential::Sequential(Shape input_shape) : input_shape_(std::move(input_shape)), shape_(input_shape_) {
  require(shape_.size() == 1 || shape_.size() == 3,
          "an input of shape {}: it has 1 dimension, or 3 (channels, height, width)", to_text(shape_));
  for (const int64_t extent : shape_) require(extent > 0, "an input of shape {} is empty", to_text(shape_));
  (void)narrow<int32_t>(elements(shape_));
  const Shape stored = shape_.size() == 1 ? Shape{1, shape_[0]} : Shape{1, shape_[1], shape_[2], shape_[0]};
  graph_.tensors.push_back({"input", {DType::i8, stored, plain}, {}});
  graph_.inputs = {0};
}

// Adds a layer, or leaves everything as it was.
template <class Add>
void Sequential::layer(std::string_view name, Add add_layer) {
  const Sequential before = *this;
  origin_ = fmt::format("{} #{}", name, layers_.size());
  layers_.emplace_back(name);
  try {
    add_layer();
  } catch (const Error& problem) {
    const std::string text = fmt::format("{}: {}", origin_, problem.what());
    *this = before;
    throw Error(text);
  }
}

void Sequential::add(const OperatorPtr& op, std::vector<TensorId> more_inputs) {
  Node node{op, {current_}, {graph_.tensors.size()}, origin_};
  node.in.insert(node.in.end(), more_inputs.begin(), more_inputs.end());
  const Types types = op->infer(inputs_of(graph_, node), {{DType::i8, {}, plain}});
  graph_.tensors.push_back({origin_, types.at(0), {}});
  current_ = node.out[0];
  graph_.nodes.push_back(std::move(node));
}

TensorId Sequential::constant(DType dtype, const Shape& shape, Bytes data) {
  graph_.tensors.push_back({origin_, {dtype, shape, plain}, std::move(data)});
  return graph_.tensors.size() - 1;
}

const Shape& Sequential::image() const {
  require(shape_.size() == 3, "needs an image, its input has shape {}; give it before flatten and dense",
          to_text(shape_));
  return graph_.tensors[current_].type.shape;
}

void Sequential::dense(const std::vector<int8_t>& weights, const std::vector<int32_t>& bias,
                       std::optional<Scaling> scaling) {
  layer("dense", [&] {
    const int64_t inputs = elements(shape_), outputs = static_cast<int64_t>(bias.size());
    require(outputs > 0, "has no biases; their number is that of the outputs");
    require_count(weights.size(), outputs * inputs, "weights", {outputs, inputs});
    const Shape& stored = graph_.tensors[current_].type.shape;
    const bool is_image = stored.size() == 4;
    const std::vector<int8_t> ordered = is_image ? swapped(weights, stored[3], inputs / stored[3]) : weights;
    if (is_image) add(op::make_reshape({1, inputs}));
    const Scaling s = scaling.value_or(Scaling{1, shift_for(inputs)});
    const TensorId w = constant(DType::i8, {outputs, inputs}, to_bytes(ordered));
    const TensorId b = constant(DType::i32, {outputs}, to_bytes(bias));
    add(make_shifted_sum({}, {s.multiplier, s.shift, false, false}), {w, b});
    shape_ = {outputs};
  });
}

void Sequential::sum(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias, const Window& window,
                     int64_t group_channels, std::optional<Scaling> scaling) {
  const int64_t outputs = static_cast<int64_t>(bias.size()), taps = window.height * window.width;
  require(outputs > 0, "has no biases; their number is that of the output channels");
  const SlidingWindow sliding_window = sliding(window);
  require_count(kernel.size(), outputs * group_channels * taps, "weights",
                {outputs, group_channels, window.height, window.width});
  const Scaling s = scaling.value_or(Scaling{1, shift_for(group_channels * taps)});
  const TensorId w = constant(DType::i8, {outputs, window.height, window.width, group_channels},
                              to_bytes(swapped(kernel, group_channels, taps)));
  const TensorId b = constant(DType::i32, {outputs}, to_bytes(bias));
  add(make_shifted_sum(sliding_window, {s.multiplier, s.shift, true, false}), {w, b});
  const Shape& result = graph_.tensors[current_].type.shape;
  shape_ = {result[3], result[1], result[2]};
}

void Sequential::conv2d(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias, const Window& window,
                        std::optional<Scaling> scaling) {
  layer("conv2d", [&] { sum(kernel, bias, window, image()[3], scaling); });
}

void Sequential::depthwise_conv2d(const std::vector<int8_t>& kernel, const std::vector<int32_t>& bias,
                                  const Window& window, std::optional<Scaling> scaling) {
  layer("depthwise_conv2d", [&] {
    require(static_cast<int64_t>(bias.size()) % image()[3] == 0,
            "has {} outputs, no multiple of its {} input channels", bias.size(), image()[3]);
    sum(kernel, bias, window, 1, scaling);
  });
}

void Sequential::relu() {
  layer("relu", [&] {
    if (!graph_.nodes.empty()) {
      if (OperatorPtr joined = with_relu(*graph_.nodes.back().op)) {
        graph_.nodes.back().op = std::move(joined);
        return;
      }
    }
    std::vector<int8_t> values(256);
    for (int x = 0; x < 128; ++x) values[static_cast<size_t>(x + 128)] = static_cast<int8_t>(x);
    add(make_byte_table(std::move(values)));
  });
}

void Sequential::table(double (*function)(double), double divisor, std::optional<Scaling> scaling) {
  const Scaling s = scaling.value_or(Scaling{});
  require(s.shift >= 0 && s.shift <= 31 && std::abs(int64_t{s.multiplier}) < int64_t{1} << 24,
          "has multiplier {} and shift {}; below 2^24 and 0 to 31 are possible", s.multiplier, s.shift);
  std::vector<int8_t> values;
  for (int x = -128; x < 128; ++x) {
    const int index = std::clamp((x * s.multiplier) >> s.shift, -128, 127);
    values.push_back(static_cast<int8_t>(std::lround(127 * function(index / divisor))));
  }
  add(make_byte_table(std::move(values)));
}

void Sequential::sigmoid(std::optional<Scaling> scaling) {
  layer("sigmoid", [&] { table([](double x) { return 1 / (1 + std::exp(-x)); }, 16, scaling); });
}

void Sequential::tanh(std::optional<Scaling> scaling) {
  layer("tanh", [&] { table([](double x) { return std::tanh(x); }, 32, scaling); });
}

void Sequential::softmax() {
  layer("softmax", [&] {
    // Over everything, whose order does not matter to the sums.
    const Shape stored = graph_.tensors[current_].type.shape;
    if (stored.size() == 4) add(op::make_reshape({1, elements(shape_)}));
    add(make_linear_softmax());
    if (stored.size() == 4) add(op::make_reshape(stored));
  });
}

void Sequential::flatten() {
  layer("flatten", [&] { shape_ = {elements(shape_)}; });
}

void Sequential::pool(const Window& window, bool largest) {
  const Shape& stored = image();
  const SlidingWindow w = sliding(window);
  require(window.padding < std::min(window.height, window.width), "has a padding of {} as large as its window",
          window.padding);
  require(window.height <= stored[1] + 2 * window.padding && window.width <= stored[2] + 2 * window.padding,
          "has a window of {}x{}, its input only {}x{}", window.height, window.width, stored[1], stored[2]);
  const op::Pooling::Parameters parameters{w.vertical, w.horizontal, w.pad_vertical, w.pad_horizontal};
  add(largest ? op::make_max_pool(parameters) : op::make_avg_pool(parameters));
  const Shape& result = graph_.tensors[current_].type.shape;
  shape_ = {result[3], result[1], result[2]};
}

void Sequential::max_pool2d(const Window& window) {
  layer("max_pool2d", [&] { pool(window, true); });
}

void Sequential::avg_pool2d(const Window& window) {
  layer("avg_pool2d", [&] { pool(window, false); });
}

// A flattened image's elements, channels first.
void Sequential::to_channels_first() {
  const Shape stored = graph_.tensors[current_].type.shape;
  if (shape_.size() == 3 || stored.size() == 2) return;
  op::IndexMap map(stored);
  for (const size_t dimension : {0U, 3U, 1U, 2U}) map.take_all(dimension);
  add(op::make_move("transpose", "order=0,3,1,2", std::move(map)));
  add(op::make_reshape({1, elements(shape_)}));
}

Graph Sequential::graph(std::string_view name) const {
  require(!layers_.empty(), "the model has no layers; add one");
  Sequential finished = *this;
  finished.to_channels_first();
  Graph graph = std::move(finished.graph_);
  if (finished.current_ == 0) {  // nothing but flatten
    graph.tensors.push_back({"output", graph.tensors[0].type, {}});
    graph.nodes.push_back({op::make_copy(graph.tensors[0].type.shape), {0}, {1}, "copy"});
    finished.current_ = 1;
  }
  graph.name = to_identifier(name);
  graph.tensors[finished.current_].name = "output";
  graph.outputs = {finished.current_};
  verify(graph);
  return graph;
}

}  // namespace mote
