// SPDX-License-Identifier: Apache-2.0
// PAD into the convolution that follows: the same bytes before and after, or left alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "formats/tflite_view.hpp"
#include "ops/registry.hpp"
#include "passes/passes.hpp"
#include "plan/make_plan.hpp"
#include "simulate/simulate.hpp"

namespace mote {
namespace {

const OpDef& definition(std::string_view name) {
  const auto all = op::all();
  return **std::find_if(all.begin(), all.end(), [&](const OpDef* entry) { return entry->name == name; });
}

// PAD of an NHWC tensor, or PADV2 when there is a value.
OperatorPtr make_pad(const std::vector<int32_t>& margins, const std::optional<Tensor>& value) {
  const Tensor paddings{"paddings", {DType::i32, {4, 2}, {}}, to_bytes(margins)};
  const Tensor x{"x", {DType::i8, {1, 1, 1, 1}, {}}, {}};
  tflite::OpView view;
  view.inputs = {&x, &paddings};
  if (value) view.inputs.push_back(&*value);
  return definition("pad").tflite[value ? 1 : 0].make(view).op;
}

int32_t up_to(std::mt19937& random, int64_t most) {
  return static_cast<int32_t>(random() % static_cast<uint64_t>(most + 1));
}

// A random convolution whose input comes from a PAD; nothing when its input is too small to be padded.
std::optional<Graph> random_graph(std::mt19937& random, std::optional<Tensor> value = std::nullopt) {
  const Sample sample = definition(random() % 2 == 0 ? "conv2d" : "depthwise_conv2d").sample(random);
  TensorType padded = sample.in[0]->type, input = padded;
  if ((value && padded.dtype != DType::i8) || !sample.in[1]->constant()) return std::nullopt;
  if (padded.dtype == DType::i16) return std::nullopt;
  const int32_t top = up_to(random, 2), bottom = up_to(random, 2), left = up_to(random, 2),
                right = up_to(random, 2);
  input.shape[1] -= top + bottom;
  input.shape[2] -= left + right;
  if (input.shape[1] < 1 || input.shape[2] < 1) return std::nullopt;
  Graph graph;
  graph.tensors = {{"x", input, {}}, {"padded", padded, {}}, {"y", sample.out[0], {}}};
  graph.inputs = {0};
  graph.outputs = {2};
  graph.nodes = {{make_pad({0, 0, top, bottom, left, right, 0, 0}, value), {0}, {1}, "PAD"},
                 {sample.op, {1}, {2}, "CONV"}};
  for (size_t i = 1; i < sample.in.size(); ++i) {
    graph.nodes[1].in.push_back(sample.in[i] ? graph.tensors.size() : no_tensor);
    if (sample.in[i]) graph.tensors.push_back(*sample.in[i]);
  }
  return graph;
}

std::vector<Bytes> run(const Graph& graph, const Bytes& input) {
  return simulate(graph, make_plan(graph), {input}, {.poison = true, .after_step = {}});
}

Bytes random_input(std::mt19937& random, const TensorType& type) {
  Bytes bytes(static_cast<size_t>(byte_size(type)));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  if (type.dtype != DType::f32) return bytes;
  std::vector<float> values(static_cast<size_t>(elements(type.shape)));
  for (float& value : values) value = static_cast<float>(random() % 1000) / 500.0F - 1.0F;
  return to_bytes(values);
}

TEST(FusePad, ComputesTheSame) {
  std::mt19937 random(1);
  int fused = 0;
  for (int i = 0; i < 400; ++i) {
    const std::optional<Graph> graph = random_graph(random);
    if (!graph) continue;
    const Graph joined = remove_dead(fuse(*graph));
    ASSERT_NO_THROW(verify(*graph)) << i;
    ASSERT_NO_THROW(verify(joined)) << i;
    const Bytes input = random_input(random, graph->tensors[0].type);
    ASSERT_TRUE(run(*graph, input) == run(joined, input)) << i << "\n" << dump(*graph) << dump(joined);
    fused += joined.nodes.size() == 1 ? 1 : 0;
  }
  EXPECT_GT(fused, 50);
}

// A convolution pads with its input's zero point only.
TEST(FusePad, OtherValuesStay) {
  std::mt19937 random(2);
  int stayed = 0;
  for (int i = 0; i < 100; ++i) {
    const Tensor value{"value", {DType::i8, {1}, {}}, to_bytes(std::vector<int8_t>{static_cast<int8_t>(i - 50)})};
    const std::optional<Graph> graph = random_graph(random, value);
    if (!graph) continue;
    if (graph->tensors[0].type.quant.zero[0] == i - 50) continue;
    EXPECT_EQ(fuse(*graph).nodes.size(), 2U) << i;
    ++stayed;
  }
  EXPECT_GT(stayed, 10);
}

TEST(FusePad, PaddedChannelsAndBatchesStay) {
  std::mt19937 random(3);
  for (const size_t place : {0U, 1U, 6U, 7U}) {
    std::optional<Graph> graph;
    while (!graph) graph = random_graph(random);
    std::vector<int32_t> margins(8, 0);
    margins[place] = 1;
    graph->nodes[0].op = make_pad(margins, std::nullopt);
    EXPECT_EQ(fuse(*graph).nodes.size(), 2U);
  }
}

}  // namespace
}  // namespace mote
