// SPDX-License-Identifier: Apache-2.0
// Small float networks with samples of their inputs, for tests of quantisation.
#pragma once

#include <random>

#include "compile/compile.hpp"
#include "quantize/samples.hpp"
#include "support/tflite_writer.hpp"

namespace mote::test {

// A .tflite file of f32 tensors, a line a layer; weights are random.
class FloatNet {
 public:
  explicit FloatNet(unsigned seed) : random_(seed) {}

  int input(Shape shape);
  int conv(int x, int64_t channels, int kernel, tflite::schema::ActivationFunctionType activation);
  int depthwise(int x, int kernel, tflite::schema::ActivationFunctionType activation);
  int dense(int x, int64_t outputs, tflite::schema::ActivationFunctionType activation);
  int pool(int x, tflite::schema::BuiltinOperator code, int kernel);
  int reshape(int x, Shape shape);
  int softmax(int x);
  int unary(int x, tflite::schema::BuiltinOperator code);
  int binary(int a, int b, tflite::schema::BuiltinOperator code);
  int concatenate(std::vector<int> parts, int axis);
  int constant(Shape shape, float low, float high);

  [[nodiscard]] const Shape& shape(int tensor) const { return shapes_[static_cast<size_t>(tensor)]; }
  [[nodiscard]] std::vector<float> values(int64_t count, float low, float high);
  [[nodiscard]] TfliteWriter& file() { return file_; }

  [[nodiscard]] Bytes finish(std::vector<int> outputs);
  [[nodiscard]] Graph graph(std::vector<int> outputs);  // as compile_model() gives it

 private:
  int tensor(Shape shape);

  TfliteWriter file_;
  std::mt19937 random_;
  std::vector<Shape> shapes_;  // one a tensor of the file
  std::vector<int> inputs_;
};

// `count` samples of random reals for each input of the graph.
[[nodiscard]] Samples random_samples(const Graph& graph, size_t count, float low, float high, unsigned seed = 1);

}  // namespace mote::test
