// SPDX-License-Identifier: Apache-2.0
#include "support/net_writer.hpp"

namespace mote::test {

namespace schema = tflite::schema;
using Op = schema::BuiltinOperator;

namespace {

constexpr float scale = 0.05F, weight_scale = 0.004F;

template <class T>
std::vector<float> real(const std::vector<T>& values, float step) {
  std::vector<float> result;
  for (const T value : values) result.push_back(static_cast<float>(value) * step);
  return result;
}

int64_t outputs_of(int64_t input, int kernel, int stride, bool same) {
  return same ? (input + stride - 1) / stride : (input - kernel) / stride + 1;
}

schema::Padding padding(bool same) { return same ? schema::Padding::SAME : schema::Padding::VALID; }

}  // namespace

int64_t NetWriter::integer(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
}

int NetWriter::tensor(Shape shape) {
  const Quantization quant =
      dtype_ == DType::f32 ? Quantization{} : Quantization{{scale}, {dtype_ == DType::i16 ? 0 : 3}, -1};
  const int id = file_.tensor("t" + std::to_string(shapes_.size()), {dtype_, shape, quant});
  shapes_.resize(static_cast<size_t>(id) + 1);
  shapes_.back() = std::move(shape);
  return id;
}

int NetWriter::image(int64_t height, int64_t width, int64_t channels) {
  images_.push_back(tensor({1, height, width, channels}));
  return images_.back();
}

int NetWriter::weights(const Shape& shape, int64_t outputs, int axis) {
  std::vector<int8_t> values(static_cast<size_t>(elements(shape)));
  for (int8_t& value : values) value = static_cast<int8_t>(integer(-limit_, limit_));
  if (dtype_ == DType::f32) return file_.constant("w", {dtype_, shape, {}}, real(values, weight_scale));
  const auto count = static_cast<size_t>(outputs);
  return file_.constant(
      "w", {DType::i8, shape, {std::vector<float>(count, weight_scale), std::vector<int32_t>(count, 0), axis}},
      values);
}

int NetWriter::bias(int64_t outputs) {
  std::vector<int32_t> values(static_cast<size_t>(outputs));
  for (int32_t& value : values) value = static_cast<int32_t>(integer(-2000, 2000));
  if (dtype_ == DType::f32)
    return file_.constant("b", {dtype_, {outputs}, {}}, real(values, scale * weight_scale));
  if (dtype_ == DType::i16)
    return file_.constant("b", {DType::i64, {outputs}, {}}, std::vector<int64_t>(values.begin(), values.end()));
  return file_.constant("b", {DType::i32, {outputs}, {}}, values);
}

int NetWriter::conv(int x, int64_t channels, int kernel, int stride, bool same) {
  const Shape in = shape(x);
  const int w = weights({channels, kernel, kernel, in[3]}, channels, 0);
  const int b = bias(channels);
  schema::Conv2DOptionsT options;
  options.padding = padding(same);
  options.stride_h = options.stride_w = stride;
  const int y =
      tensor({1, outputs_of(in[1], kernel, stride, same), outputs_of(in[2], kernel, stride, same), channels});
  file_.add(Op::CONV_2D, {x, w, b}, {y}, options);
  return y;
}

int NetWriter::depthwise(int x, int kernel, int stride, bool same) {
  const Shape in = shape(x);
  const int w = weights({1, kernel, kernel, in[3]}, in[3], 3);
  const int b = bias(in[3]);
  schema::DepthwiseConv2DOptionsT options;
  options.padding = padding(same);
  options.stride_h = options.stride_w = stride;
  options.depth_multiplier = 1;
  const int y =
      tensor({1, outputs_of(in[1], kernel, stride, same), outputs_of(in[2], kernel, stride, same), in[3]});
  file_.add(Op::DEPTHWISE_CONV_2D, {x, w, b}, {y}, options);
  return y;
}

int NetWriter::pool(Op code, int x, int kernel, int stride, bool same) {
  const Shape in = shape(x);
  schema::Pool2DOptionsT options;
  options.padding = padding(same);
  options.stride_h = options.stride_w = stride;
  options.filter_height = options.filter_width = kernel;
  const int y =
      tensor({1, outputs_of(in[1], kernel, stride, same), outputs_of(in[2], kernel, stride, same), in[3]});
  file_.add(code, {x}, {y}, options);
  return y;
}

int NetWriter::average(int x, int kernel, int stride, bool same) {
  return pool(Op::AVERAGE_POOL_2D, x, kernel, stride, same);
}
int NetWriter::maximum(int x, int kernel, int stride, bool same) {
  return pool(Op::MAX_POOL_2D, x, kernel, stride, same);
}

int NetWriter::add(int a, int b) {
  const int y = tensor(shape(a));
  file_.add(Op::ADD, {a, b}, {y}, schema::AddOptionsT{});
  return y;
}

int NetWriter::concatenate(int a, int b) {
  Shape out = shape(a);
  out[3] += shape(b)[3];
  const int y = tensor(out);
  schema::ConcatenationOptionsT options;
  options.axis = 3;
  file_.add(Op::CONCATENATION, {a, b}, {y}, options);
  return y;
}

int NetWriter::relu(int x) {
  const int y = tensor(shape(x));
  file_.add(Op::RELU, {x}, {y});
  return y;
}

int NetWriter::twice(int x) { return nearest(x, 2 * shape(x)[1], 2 * shape(x)[2]); }

template <class Options>
int NetWriter::resize(Op code, int x, int64_t height, int64_t width, bool align_corners, bool half_pixel_centers) {
  const std::vector<int32_t> size{static_cast<int32_t>(height), static_cast<int32_t>(width)};
  const int s = file_.constant("size", {DType::i32, {2}, {}}, size);
  const int y = tensor({1, height, width, shape(x)[3]});
  Options options;
  options.align_corners = align_corners;
  options.half_pixel_centers = half_pixel_centers;
  file_.add(code, {x, s}, {y}, options);
  return y;
}

int NetWriter::nearest(int x, int64_t height, int64_t width, bool align_corners, bool half_pixel_centers) {
  return resize<schema::ResizeNearestNeighborOptionsT>(Op::RESIZE_NEAREST_NEIGHBOR, x, height, width,
                                                       align_corners, half_pixel_centers);
}
int NetWriter::bilinear(int x, int64_t height, int64_t width, bool align_corners, bool half_pixel_centers) {
  return resize<schema::ResizeBilinearOptionsT>(Op::RESIZE_BILINEAR, x, height, width, align_corners,
                                                half_pixel_centers);
}

int NetWriter::scaled(int x, int by) {
  const int y = tensor(shape(x));
  file_.add(Op::MUL, {x, by}, {y}, schema::MulOptionsT{});
  return y;
}

int NetWriter::mean(int x) {
  const int axes = file_.constant("axes", {DType::i32, {2}, {}}, std::vector<int32_t>{1, 2});
  schema::ReducerOptionsT options;
  options.keep_dims = true;
  const int y = tensor({1, 1, 1, shape(x)[3]});
  file_.add(Op::MEAN, {x, axes}, {y}, options);
  return y;
}

int NetWriter::dense(int x, int64_t outputs) {
  const int w = weights({outputs, elements(shape(x))}, outputs, 0);
  const int b = bias(outputs);
  const int y = tensor({1, outputs});
  file_.add(Op::FULLY_CONNECTED, {x, w, b}, {y}, schema::FullyConnectedOptionsT{});
  return y;
}

Bytes NetWriter::finish(std::vector<int> outputs) {
  file_.finish(images_, std::move(outputs));
  return file_.bytes();
}

Bytes random_net(unsigned seed) {
  NetWriter net(seed);
  int x = net.image(net.integer(6, 26), net.integer(4, 16), net.integer(1, 6));
  const int64_t layers = net.integer(3, 8);
  std::vector<int> outputs;
  for (int64_t i = 0; i < layers; ++i) {
    const bool tall = net.shape(x)[1] > 7;
    const int stride = tall && net.integer(0, 2) == 0 ? 2 : 1;
    const bool same = !tall || net.integer(0, 3) != 0;
    switch (net.integer(0, 9)) {
      case 0:
      case 1: x = net.conv(x, net.integer(1, 16), 3, stride, same); break;
      case 2: x = net.conv(x, net.integer(1, 24), 1, 1); break;
      case 3:
      case 4: x = net.depthwise(x, net.integer(0, 3) == 0 ? 5 : 3, stride); break;
      case 5:
        x = net.integer(0, 1) == 0 ? net.average(x, 3, stride, same) : net.maximum(x, 2, stride, same);
        break;
      case 6: x = net.add(x, net.conv(net.depthwise(x, 3, 1), net.shape(x)[3], 1, 1)); break;
      case 7: x = net.concatenate(net.conv(x, 3, 3, 1), net.relu(x)); break;
      case 8: x = net.shape(x)[1] < 20 ? net.twice(x) : net.relu(x); break;
      default: x = net.scaled(x, net.conv(net.mean(x), net.shape(x)[3], 1, 1)); break;
    }
    if (net.integer(0, 9) == 0) outputs.push_back(x);
  }
  if (outputs.empty() || outputs.back() != x) outputs.push_back(x);
  return net.finish(outputs);
}

Bytes squeeze_and_excite(DType dtype, bool average) {
  NetWriter net(3, dtype);
  const int image = net.image(32, 32, 2);
  const int wide = net.depthwise(net.conv(image, 16, 3, 1), 3, 1);
  const int factor =
      net.conv(net.conv(average ? net.average(wide, 32, 1, false) : net.mean(wide), 4, 1, 1), 16, 1, 1);
  return net.finish({net.conv(net.scaled(wide, factor), 8, 3, 4)});
}

}  // namespace mote::test
