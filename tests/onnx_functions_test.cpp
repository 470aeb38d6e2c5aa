// SPDX-License-Identifier: Apache-2.0
// Element-wise functions of .onnx files: tables between DequantizeLinear and QuantizeLinear, the exact GELU as
// exporters write it, interpolation by matrices.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using test::OnnxWriter;

std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.op->name());
  return names;
}

// A function of codes of scale 0.05 and zero point 3, given as codes of scale 0.04 and zero point -100.
void expect_table(const std::function<void(OnnxWriter&)>& add_node,
                  const std::function<double(double)>& function) {
  OnnxWriter file;
  file.input("x", {1, 256}, DType::i8);
  file.linear("DequantizeLinear", "x", "xr", 0.05F, 3, DType::i8);
  add_node(file);
  file.linear("QuantizeLinear", "yr", "y", 0.04F, -100, DType::i8);
  file.output("y", {1, 256}, DType::i8);
  const Compiled model = compile_model(file.bytes(), "net");
  EXPECT_EQ(operators(model.graph), std::vector<std::string>{"byte_table"});
  std::vector<int8_t> codes(256);
  for (size_t i = 0; i < 256; ++i) codes[i] = static_cast<int8_t>(static_cast<int>(i) - 128);
  const auto got = to_values<int8_t>(simulate(model.graph, model.plan, {to_bytes(codes)}).at(0));
  for (size_t i = 0; i < 256; ++i) {
    const double y = function(0.05 * (codes[i] - 3)) / 0.04 - 100;
    EXPECT_NEAR(got[i], std::clamp(y, -128.0, 127.0), 0.501) << "code " << static_cast<int>(codes[i]);
  }
}

// Softplus made of seven float operators is one table, and its values are those of the definition, rounded once.
TEST(OnnxFunctions, FunctionBetweenScalesIsATable) {
  expect_table([](OnnxWriter& file) { file.node("Softplus", {"xr"}, {"yr"}); },
               [](double x) { return std::log1p(std::exp(x)); });
}

// Its limits need not be codes of the input.
TEST(OnnxFunctions, ClipBetweenScalesIsATable) {
  expect_table(
      [](OnnxWriter& file) {
        file.constant("low", {}, std::vector<float>{-0.326F});
        file.constant("high", {}, std::vector<float>{2.174F});
        file.node("Clip", {"xr", "low", "high"}, {"yr"});
      },
      [](double x) { return std::clamp(x, -0.326, 2.174); });
}

TEST(OnnxFunctions, SwishIsTheInputTimesItsSigmoid) {
  expect_table([](OnnxWriter& file) { OnnxWriter::set(file.node("Swish", {"xr"}, {"yr"}), "alpha", 0.7F); },
               [](double x) { return x / (1 + std::exp(-0.7 * x)); });
}

OnnxWriter gelu_file(float half, bool half_first) {
  OnnxWriter file;
  file.input("x", {2, 8});
  file.constant("root", {}, std::vector<float>{1.41421354F});
  file.constant("one", {}, std::vector<float>{1.0F});
  file.constant("half", {}, std::vector<float>{half});
  file.node("Div", {"x", "root"}, {"d"});
  file.node("Erf", {"d"}, {"e"});
  file.node("Add", {"e", "one"}, {"a"});
  file.node("Mul", {half_first ? "half" : "x", "a"}, {"m"});
  file.node("Mul", {"m", half_first ? "x" : "half"}, {"y"});
  file.output("y", {2, 8});
  return file;
}

// The same numbers, whether the pattern is seen or, with another factor, is not.
TEST(OnnxFunctions, ExactGeluIsOneOperator) {
  std::vector<float> x(16);
  for (size_t i = 0; i < x.size(); ++i) x[i] = -4.0F + 0.5F * static_cast<float>(i);
  for (const float half : {0.5F, 0.25F}) {
    for (const bool half_first : {false, true}) {
      const Compiled model = compile_model(gelu_file(half, half_first).bytes(), "net");
      const bool seen = operators(model.graph) == std::vector<std::string>{"gelu"};
      EXPECT_EQ(seen, half == 0.5F) << dump(model.graph);
      const auto got = to_values<float>(simulate(model.graph, model.plan, {to_bytes(x)}).at(0));
      for (size_t i = 0; i < x.size(); ++i) {
        const auto real = static_cast<double>(x[i]);
        EXPECT_NEAR(static_cast<double>(got[i]),
                    static_cast<double>(half) * real * (1 + std::erf(real / std::sqrt(2.0))), 1e-5);
      }
    }
  }
}

// Cubic interpolation along one dimension, by hand.
TEST(OnnxFunctions, CubicResizeWeighsFourNeighbours) {
  OnnxWriter file;
  file.input("x", {1, 4});
  file.constant("scales", {2}, std::vector<float>{1.0F, 2.0F});
  auto& node = file.node("Resize", {"x", "", "scales"}, {"y"});
  OnnxWriter::set(node, "mode", std::string("cubic"));
  OnnxWriter::set(node, "coordinate_transformation_mode", std::string("asymmetric"));
  file.output("y", {1, 8});
  const Compiled model = compile_model(file.bytes(), "net");
  const std::vector<float> x{1, 5, -2, 7};
  const auto got = to_values<float>(simulate(model.graph, model.plan, {to_bytes(x)}).at(0));
  ASSERT_EQ(got.size(), 8U);
  // Half-way between two: -3/32, 19/32, 19/32, -3/32 of the neighbours.
  EXPECT_NEAR(got[3], -3.0 / 32 * 1 + 19.0 / 32 * 5 + 19.0 / 32 * -2 - 3.0 / 32 * 7, 1e-5);
  EXPECT_NEAR(got[4], -2, 1e-5);
}

}  // namespace
}  // namespace mote
