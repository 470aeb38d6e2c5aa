// SPDX-License-Identifier: Apache-2.0
// Small quantised image networks as .tflite files, a line a layer.
#pragma once

#include <random>

#include "support/tflite_writer.hpp"

namespace mote::test {

// Every tensor is i8 of batch 1 with one scale; weights and biases are random. As i16 the weights stay i8; as f32
// the network is the same with the real numbers that these stand for.
class NetWriter {
 public:
  explicit NetWriter(unsigned seed, DType dtype = DType::i8) : random_(seed), dtype_(dtype) {}

  // Weights written from here on lie in [-limit, limit]; at first 127.
  void limit_weights(int64_t limit) { limit_ = limit; }

  int image(int64_t height, int64_t width, int64_t channels);
  int conv(int x, int64_t channels, int kernel, int stride, bool same = true);
  int depthwise(int x, int kernel, int stride, bool same = true);
  int average(int x, int kernel, int stride, bool same = true);
  int maximum(int x, int kernel, int stride, bool same = true);
  int add(int a, int b);
  int concatenate(int a, int b);  // their channels
  int relu(int x);
  int twice(int x);  // nearest() to twice the height and width
  int nearest(int x, int64_t height, int64_t width, bool align_corners = false, bool half_pixel_centers = false);
  int bilinear(int x, int64_t height, int64_t width, bool align_corners = false, bool half_pixel_centers = false);
  int scaled(int x, int by);          // MUL with a tensor 1x1x1xC
  int mean(int x);                    // over height and width, 1x1x1xC
  int dense(int x, int64_t outputs);  // 1xN

  [[nodiscard]] const Shape& shape(int tensor) const { return shapes_[static_cast<size_t>(tensor)]; }
  [[nodiscard]] int64_t integer(int64_t low, int64_t high);  // both included

  // The file; inputs are the images.
  [[nodiscard]] Bytes finish(std::vector<int> outputs);

 private:
  int tensor(Shape shape);
  int weights(const Shape& shape, int64_t outputs, int axis);
  int bias(int64_t outputs);
  template <class Options>
  int resize(tflite::schema::BuiltinOperator code, int x, int64_t height, int64_t width, bool align_corners,
             bool half_pixel_centers);
  int pool(tflite::schema::BuiltinOperator code, int x, int kernel, int stride, bool same);

  TfliteWriter file_;
  std::mt19937 random_;
  DType dtype_;
  int64_t limit_ = 127;
  std::vector<Shape> shapes_;  // one a tensor of the file
  std::vector<int> images_;
};

// Layers with random sizes; now and then a branch that comes back.
[[nodiscard]] Bytes random_net(unsigned seed);

// A convolution whose output's mean, or average pool, multiplies it.
[[nodiscard]] Bytes squeeze_and_excite(DType dtype = DType::i8, bool average = false);

}  // namespace mote::test
