// SPDX-License-Identifier: Apache-2.0
// Graphs made from .onnx files: no transposition is left in an image network, quantised groups become integer
// operators, and the numbers are those of the definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using test::OnnxWriter;

std::vector<float> ramp(size_t count, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = step * static_cast<float>(static_cast<int>(i * 7 % 11) - 5);
  return values;
}

Compiled compile_onnx(const OnnxWriter& file, const ImportOptions& options = {}) {
  return compile_model(file.bytes(), "net", options);
}

int64_t count(const Graph& graph, std::string_view op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return node.op->name() == op; });
}

std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.op->name());
  return names;
}

std::vector<float> run(const Compiled& model, const std::vector<float>& input) {
  return to_values<float>(simulate(model.graph, model.plan, {to_bytes(input)}).at(0));
}

const TensorType& output_type(const Compiled& model) { return model.graph.tensors[model.graph.outputs[0]].type; }

// From the definition, channels first: [1][in][h][w] with [out][in][3][3], padded by one.
std::vector<float> convolved(const std::vector<float>& x, const std::vector<float>& w, int64_t in, int64_t out,
                             int64_t size) {
  std::vector<float> y;
  for (int64_t m = 0; m < out; ++m) {
    for (int64_t p = 0; p < size * size; ++p) {
      double sum = 0;
      for (int64_t c = 0; c < in; ++c) {
        for (int64_t tap = 0; tap < 9; ++tap) {
          const int64_t row = p / size + tap / 3 - 1, column = p % size + tap % 3 - 1;
          if (row < 0 || row >= size || column < 0 || column >= size) continue;
          sum += static_cast<double>(x[static_cast<size_t>((c * size + row) * size + column)]) *
                 static_cast<double>(w[static_cast<size_t>((m * in + c) * 9 + tap)]);
        }
      }
      y.push_back(static_cast<float>(sum));
    }
  }
  return y;
}

// [C][pixels] to [pixels][C].
std::vector<float> channels_last(const std::vector<float>& x, size_t channels) {
  std::vector<float> y(x.size());
  const size_t pixels = x.size() / channels;
  for (size_t i = 0; i < x.size(); ++i) y[i % pixels * channels + i / pixels] = x[i];
  return y;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4F) << "element " << i;
}

TEST(ImportOnnx, ConvolutionComputesItsDefinition) {
  const std::vector<float> weights = ramp(4 * 2 * 9, 0.1F), x = ramp(2 * 25, 0.3F);
  OnnxWriter file;
  file.input("x", {1, 2, 5, 5});
  file.constant("w", {4, 2, 3, 3}, weights);
  OnnxWriter::set(file.node("Conv", {"x", "w"}, {"y"}), "pads", {1, 1, 1, 1});
  file.output("y", {1, 4, 5, 5});
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(operators(model.graph), std::vector<std::string>{"conv2d"});
  EXPECT_EQ(output_type(model).shape, (Shape{1, 5, 5, 4}));
  expect_near(run(model, channels_last(x, 2)), channels_last(convolved(x, weights, 2, 4, 5), 4));
}

// Conv, batch normalisation, ReLU, a residual sum, pools, Flatten and Gemm.
OnnxWriter image_network() {
  OnnxWriter file;
  file.symbolic_input("x", {"batch", "2", "8", "8"});
  file.constant("w1", {4, 2, 3, 3}, ramp(72, 0.1F));
  file.constant("w2", {4, 4, 3, 3}, ramp(144, 0.05F));
  file.constant("scale", {4}, ramp(4, 0.2F));
  file.constant("shift", {4}, ramp(4, 0.1F));
  file.constant("mean", {4}, ramp(4, 0.3F));
  file.constant("variance", {4}, std::vector<float>{1, 2, 3, 4});
  OnnxWriter::set(file.node("Conv", {"x", "w1"}, {"c1"}), "pads", {1, 1, 1, 1});
  file.node("BatchNormalization", {"c1", "scale", "shift", "mean", "variance"}, {"n1"});
  file.node("Relu", {"n1"}, {"r1"});
  OnnxWriter::set(file.node("Conv", {"r1", "w2"}, {"c2"}), "pads", {1, 1, 1, 1});
  file.node("Add", {"c2", "r1"}, {"sum"});
  file.node("Relu", {"sum"}, {"r2"});
  onnx::schema::Node& pool = file.node("MaxPool", {"r2"}, {"p"});
  OnnxWriter::set(pool, "kernel_shape", {3, 3});
  OnnxWriter::set(pool, "strides", {2, 2});
  OnnxWriter::set(pool, "pads", {1, 1, 1, 1});
  file.node("Flatten", {"p"}, {"flat"});
  file.constant("dense", {3, 64}, ramp(192, 0.02F));
  OnnxWriter::set(file.node("Gemm", {"flat", "dense"}, {"y"}), "transB", int64_t{1});
  file.output("y", {1, 3});
  return file;
}

TEST(ImportOnnx, ImageNetworkKeepsNoTranspositionAndNoReshape) {
  const Compiled model = compile_onnx(image_network());
  EXPECT_EQ(operators(model.graph),
            (std::vector<std::string>{"conv2d", "conv2d", "add", "max_pool", "fully_connected"}))
      << dump(model.graph);
}

TEST(ImportOnnx, NotesSayWhatWasDecided) {
  EXPECT_EQ(
      compile_onnx(image_network()).graph.notes,
      (std::vector<std::string>{"input 'x': its batch ('batch') is open in the file; it was taken as 1",
                                "input 'x' has its channels last, 1x8x8x2; the file has them first, 1x2x8x8"}));
}

// The flattened order is ONNX's (channel, row, column), although the image is stored channels last.
TEST(ImportOnnx, FlattenedImageMeetsItsWeights) {
  const std::vector<float> x = ramp(3 * 4, 0.5F), weights = ramp(2 * 12, 0.25F);
  OnnxWriter file;
  file.input("x", {1, 3, 2, 2});
  file.constant("w", {12, 2}, weights);
  file.node("Relu", {"x"}, {"r"});
  file.node("Flatten", {"r"}, {"flat"});
  file.node("MatMul", {"flat", "w"}, {"y"});
  file.output("y", {1, 2});
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(count(model.graph, "transpose"), 0) << dump(model.graph);
  std::vector<float> expected(2, 0.0F);
  for (size_t i = 0; i < 24; ++i) expected[i % 2] += std::max(x[i / 2], 0.0F) * weights[i];
  expect_near(run(model, channels_last(x, 3)), expected);
}

// Splitting channels into groups and swapping them moves data once.
TEST(ImportOnnx, ChannelShuffleIsOneTransposition) {
  OnnxWriter file;
  file.input("x", {1, 4, 2, 2});
  file.constant("split", {5}, std::vector<int64_t>{1, 2, 2, 2, 2});
  file.constant("join", {4}, std::vector<int64_t>{1, 4, 2, 2});
  file.node("Reshape", {"x", "split"}, {"groups"});
  OnnxWriter::set(file.node("Transpose", {"groups"}, {"swapped"}), "perm", {0, 2, 1, 3, 4});
  file.node("Reshape", {"swapped", "join"}, {"y"});
  file.output("y", {1, 4, 2, 2});
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(count(model.graph, "transpose"), 1) << dump(model.graph);
  std::vector<float> x(16);
  std::iota(x.begin(), x.end(), 0.0F);
  const std::vector<float> expected{0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15};  // channels 0 2 1 3
  EXPECT_EQ(run(model, channels_last(x, 4)), channels_last(expected, 4));
}

// A sequence, too, has its channels last where a convolution reads it; quantisation in between does not matter.
TEST(ImportOnnx, QuantisedSequenceHasItsChannelsLast) {
  OnnxWriter file;
  file.input("x", {1, 2, 5}, DType::i8);
  file.linear("DequantizeLinear", "x", "xd", 0.5F, 0, DType::i8);
  const std::vector<std::byte> codes{std::byte{1}, std::byte{0}};  // the first channel
  file.constant("wq", {DType::i8, {1, 2, 1}, {}}, ByteSpan(codes));
  file.linear("DequantizeLinear", "wq", "wd", 1.0F, 0, DType::i8);
  file.node("Conv", {"xd", "wd"}, {"c"});
  file.linear("QuantizeLinear", "c", "y", 0.5F, 0, DType::i8);
  file.output("y", {1, 1, 5}, DType::i8);
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(model.graph.tensors[model.graph.inputs[0]].type.shape, (Shape{1, 5, 2}));
  const std::vector<int8_t> x{1, 60, 2, 61, 3, 62, 4, 63, 5, 64};
  EXPECT_EQ(to_values<int8_t>(simulate(model.graph, model.plan, {to_bytes(x)}).at(0)),
            (std::vector<int8_t>{1, 2, 3, 4, 5}));
}

// x, w and b quantised; Relu between Conv and QuantizeLinear.
OnnxWriter quantised_conv(DType activations, int zero) {
  OnnxWriter file;
  file.input("x", {1, 1, 4, 4});
  file.linear("QuantizeLinear", "x", "xq", 0.5F, zero, activations);
  file.linear("DequantizeLinear", "xq", "xd", 0.5F, zero, activations);
  const std::vector<std::byte> codes{std::byte{1}, std::byte{2}};
  file.constant("wq", {DType::i8, {2, 1, 1, 1}, {}}, ByteSpan(codes));
  file.linear("DequantizeLinear", "wq", "wd", 0.25F, 0, DType::i8);
  file.node("Conv", {"xd", "wd"}, {"c"});
  file.node("Relu", {"c"}, {"r"});
  file.linear("QuantizeLinear", "r", "yq", 0.5F, zero, activations);
  file.linear("DequantizeLinear", "yq", "y", 0.5F, zero, activations);
  file.output("y", {1, 2, 4, 4});
  return file;
}

class QuantisedConv : public testing::TestWithParam<std::pair<DType, int>> {};

TEST_P(QuantisedConv, BecomesOneIntegerLayer) {
  const Compiled model = compile_onnx(quantised_conv(GetParam().first, GetParam().second));
  EXPECT_EQ(operators(model.graph), (std::vector<std::string>{"quantize", "conv2d", "dequantize"}))
      << dump(model.graph);
  const std::vector<float> x{-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  std::vector<float> expected;
  for (const float value : x) {
    for (const float weight : {0.25F, 0.5F}) expected.push_back(std::max(0.0F, value * weight));
  }
  const std::vector<float> got = run(model, x);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 0.2501F) << i;  // half a step of 0.5
}

INSTANTIATE_TEST_SUITE_P(Types, QuantisedConv,
                         testing::Values(std::pair(DType::i8, 3), std::pair(DType::u8, 131)));

TEST(ImportOnnx, QLinearConvIsTheSame) {
  OnnxWriter file;
  file.input("x", {1, 1, 2, 2}, DType::u8);
  file.constant("scale", Shape{}, std::vector<float>{0.5F});
  const std::vector<std::byte> zero{std::byte{128}}, none{std::byte{0}}, weight{std::byte{3}};
  file.constant("zero", {DType::u8, {}, {}}, ByteSpan(zero));
  file.constant("w", {DType::i8, {1, 1, 1, 1}, {}}, ByteSpan(weight));
  file.constant("w_zero", {DType::i8, {}, {}}, ByteSpan(none));
  file.node("QLinearConv", {"x", "scale", "zero", "w", "scale", "w_zero", "scale", "zero"}, {"y"});
  file.output("y", {1, 1, 2, 2}, DType::u8);
  const Compiled model = compile_onnx(file);
  EXPECT_EQ(operators(model.graph), (std::vector<std::string>{"quantize", "conv2d", "quantize"}))
      << dump(model.graph);
  const std::vector<uint8_t> x{128, 130, 120, 255};
  const Bytes y = simulate(model.graph, model.plan, {to_bytes(x)}).at(0);
  EXPECT_EQ(to_values<uint8_t>(y), (std::vector<uint8_t>{128, 131, 116, 255}));  // 1.5 (x - 128) + 128, saturated
}

TEST(ImportOnnx, GivenShapesReplaceSymbols) {
  OnnxWriter file;
  file.symbolic_input("x", {"N", "2", "H", "W"});
  file.node("Relu", {"x"}, {"y"});
  file.output("y", {});
  file.model().mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const Compiled model = compile_onnx(file, {{{"x", {1, 2, 6, 4}}}, {}});
  EXPECT_EQ(output_type(model).shape, (Shape{1, 6, 4, 2}));
}

}  // namespace
}  // namespace mote
