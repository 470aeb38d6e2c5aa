// SPDX-License-Identifier: Apache-2.0
#include "support/float_net.hpp"

namespace mote::test {

namespace schema = tflite::schema;
using Op = schema::BuiltinOperator;

namespace {

std::vector<float> uniform(std::mt19937& random, int64_t count, float low, float high) {
  std::vector<float> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(low + (high - low) * static_cast<float>(random() % 65536) / 65536.0F);
  return result;
}

}  // namespace

std::vector<float> FloatNet::values(int64_t count, float low, float high) {
  return uniform(random_, count, low, high);
}

int FloatNet::tensor(Shape shape) {
  const int id = file_.tensor("t" + std::to_string(shapes_.size()), {DType::f32, shape, {}});
  shapes_.resize(static_cast<size_t>(id) + 1);
  shapes_.back() = std::move(shape);
  return id;
}

int FloatNet::constant(Shape shape, float low, float high) {
  const std::vector<float> content = values(elements(shape), low, high);
  const int id = file_.constant("c" + std::to_string(shapes_.size()), {DType::f32, shape, {}}, content);
  shapes_.resize(static_cast<size_t>(id) + 1);
  shapes_.back() = std::move(shape);
  return id;
}

int FloatNet::input(Shape shape) {
  inputs_.push_back(tensor(std::move(shape)));
  return inputs_.back();
}

int FloatNet::conv(int x, int64_t channels, int kernel, schema::ActivationFunctionType activation) {
  const Shape in = shape(x);
  const int w = constant({channels, kernel, kernel, in[3]}, -0.5F, 0.4F);
  const int b = constant({channels}, -0.3F, 0.3F);
  schema::Conv2DOptionsT options;
  options.padding = schema::Padding::SAME;
  options.stride_h = options.stride_w = 1;
  options.fused_activation_function = activation;
  const int y = tensor({in[0], in[1], in[2], channels});
  file_.add(Op::CONV_2D, {x, w, b}, {y}, options);
  return y;
}

int FloatNet::depthwise(int x, int kernel, schema::ActivationFunctionType activation) {
  const Shape in = shape(x);
  const int w = constant({1, kernel, kernel, in[3]}, -0.6F, 0.5F);
  const int b = constant({in[3]}, -0.3F, 0.3F);
  schema::DepthwiseConv2DOptionsT options;
  options.padding = schema::Padding::SAME;
  options.stride_h = options.stride_w = options.depth_multiplier = 1;
  options.fused_activation_function = activation;
  const int y = tensor(in);
  file_.add(Op::DEPTHWISE_CONV_2D, {x, w, b}, {y}, options);
  return y;
}

int FloatNet::dense(int x, int64_t outputs, schema::ActivationFunctionType activation) {
  const Shape in = shape(x);
  const int w = constant({outputs, in.back()}, -0.4F, 0.4F);
  const int b = constant({outputs}, -0.3F, 0.3F);
  schema::FullyConnectedOptionsT options;
  options.fused_activation_function = activation;
  const int y = tensor({elements(in) / in.back(), outputs});
  file_.add(Op::FULLY_CONNECTED, {x, w, b}, {y}, options);
  return y;
}

int FloatNet::pool(int x, Op code, int kernel) {
  const Shape in = shape(x);
  schema::Pool2DOptionsT options;
  options.padding = schema::Padding::VALID;
  options.stride_h = options.stride_w = options.filter_height = options.filter_width = kernel;
  const int y = tensor({in[0], in[1] / kernel, in[2] / kernel, in[3]});
  file_.add(code, {x}, {y}, options);
  return y;
}

int FloatNet::reshape(int x, Shape to) {
  std::vector<int32_t> extents(to.begin(), to.end());
  const int s = file_.constant("shape", {DType::i32, {std::ssize(extents)}, {}}, extents);
  shapes_.resize(static_cast<size_t>(s) + 1);
  const int y = tensor(std::move(to));
  file_.add(Op::RESHAPE, {x, s}, {y}, schema::ReshapeOptionsT{});
  return y;
}

int FloatNet::softmax(int x) {
  schema::SoftmaxOptionsT options;
  options.beta = 1;
  const int y = tensor(shape(x));
  file_.add(Op::SOFTMAX, {x}, {y}, options);
  return y;
}

int FloatNet::unary(int x, Op code) {
  const int y = tensor(shape(x));
  file_.add(code, {x}, {y});
  return y;
}

int FloatNet::binary(int a, int b, Op code) {
  const int y = tensor(shape(a));
  file_.add(code, {a, b}, {y});
  return y;
}

int FloatNet::concatenate(std::vector<int> parts, int axis) {
  Shape out = shape(parts[0]);
  const auto d = static_cast<size_t>(axis);
  out[d] = 0;
  for (const int part : parts) out[d] += shape(part)[d];
  schema::ConcatenationOptionsT options;
  options.axis = axis;
  const int y = tensor(out);
  file_.add(Op::CONCATENATION, std::move(parts), {y}, options);
  return y;
}

Bytes FloatNet::finish(std::vector<int> outputs) {
  file_.finish(inputs_, std::move(outputs));
  return file_.bytes();
}

Graph FloatNet::graph(std::vector<int> outputs) { return compile_model(finish(std::move(outputs)), "net").graph; }

Samples random_samples(const Graph& graph, size_t count, float low, float high, unsigned seed) {
  std::mt19937 random(seed);
  Samples samples;
  for (size_t i = 0; i < count; ++i) {
    samples.inputs.emplace_back();
    for (const TensorId id : graph.inputs)
      samples.inputs.back().push_back(
          to_bytes(uniform(random, elements(graph.tensors[id].type.shape), low, high)));
  }
  return samples;
}

}  // namespace mote::test
