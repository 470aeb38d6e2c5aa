// SPDX-License-Identifier: Apache-2.0
// Models of unsigned 8-bit numbers: what they compute, and what of them stays unsigned.
#include <gtest/gtest.h>

#include <algorithm>

#include "import/tflite.hpp"
#include "plan/make_plan.hpp"
#include "simulate/simulate.hpp"
#include "support/tflite_writer.hpp"

namespace mote::test {
namespace {

namespace schema = tflite::schema;

TensorType unsigned_type(Shape shape, float scale, int32_t zero) {
  return {DType::u8, std::move(shape), {{scale}, {zero}, -1}};
}

// A dense layer whose multiplier is 1, so that its outputs are whole numbers without rounding.
Bytes dense_model() {
  TfliteWriter file;
  const int x = file.tensor("x", unsigned_type({1, 3}, 0.5F, 100));
  const int w =
      file.constant("w", unsigned_type({2, 3}, 0.25F, 30), std::vector<uint8_t>{31, 28, 200, 0, 30, 255});
  const int bias = file.constant("bias", {DType::i32, {2}, {{0.125F}, {0}, -1}}, std::vector<int32_t>{5, -7});
  const int y = file.tensor("y", unsigned_type({1, 2}, 0.125F, 90));
  file.add(schema::BuiltinOperator::FULLY_CONNECTED, {x, w, bias}, {y}, schema::FullyConnectedOptionsT{});
  file.finish({x}, {y});
  return file.bytes();
}

TEST(SignedModel, ComputesWhatTheUnsignedOneMeans) {
  const Graph graph = import_tflite(dense_model(), "dense");
  const int32_t weights[2][3] = {{31, 28, 200}, {0, 30, 255}};
  const int32_t bias[2] = {5, -7};
  for (const std::vector<uint8_t>& x : {std::vector<uint8_t>{100, 100, 100}, {103, 90, 101}, {0, 255, 99}}) {
    std::vector<uint8_t> expected;
    for (int c = 0; c < 2; ++c) {
      int32_t sum = bias[c];
      for (size_t i = 0; i < 3; ++i) sum += (x[i] - 100) * (weights[c][i] - 30);
      expected.push_back(static_cast<uint8_t>(std::clamp(sum + 90, 0, 255)));
    }
    EXPECT_EQ(to_values<uint8_t>(simulate(graph, make_plan(graph), {to_bytes(x)})[0]), expected);
  }
}

TEST(SignedModel, InputsAndOutputsStayUnsigned) {
  const Graph graph = import_tflite(dense_model(), "dense");
  EXPECT_EQ(graph.tensors[graph.inputs[0]].type, unsigned_type({1, 3}, 0.5F, 100));
  EXPECT_EQ(graph.tensors[graph.outputs[0]].type, unsigned_type({1, 2}, 0.125F, 90));
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[0].op->name(), "quantize");
  EXPECT_EQ(graph.nodes[2].op->name(), "quantize");
}

TEST(SignedModel, ModelsWithoutUnsignedSumsStayAsTheyAre) {
  TfliteWriter file;
  const int x = file.tensor("x", unsigned_type({1, 3}, 0.5F, 100));
  const int y = file.tensor("y", {DType::i8, {1, 3}, {{0.5F}, {-28}, -1}});
  file.add(schema::BuiltinOperator::QUANTIZE, {x}, {y}, schema::QuantizeOptionsT{});
  file.finish({x}, {y});
  EXPECT_EQ(import_tflite(file.bytes(), "border").nodes.size(), 1U);
}

}  // namespace
}  // namespace mote::test
