// SPDX-License-Identifier: Apache-2.0
// A RELU of its own behind an operator that can fuse it: the same bytes before and after, or left alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "formats/tflite_view.hpp"
#include "ops/registry.hpp"
#include "passes/passes.hpp"
#include "plan/make_plan.hpp"
#include "simulate/simulate.hpp"
#include "support/guarded_call.hpp"

namespace mote::test {
namespace {

const OpDef& definition(std::string_view name) {
  const auto all = op::all();
  return **std::find_if(all.begin(), all.end(), [&](const OpDef* entry) { return entry->name == name; });
}

OperatorPtr make_activation(std::string_view name, const TensorType& from, const TensorType& to) {
  const Tensor x{"x", from, {}}, y{"y", to, {}};
  tflite::OpView view;
  view.inputs = {&x};
  view.outputs = {&y};
  const auto& entries = definition("unary").tflite;
  return std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.op == name; })
      ->make(view)
      .op;
}

bool may_be_clamped(const TensorType& type) {
  return type.dtype == DType::f32 ||
         ((type.dtype == DType::i8 || type.dtype == DType::i16) && !type.quant.empty());
}

struct Case {
  Graph graph;
  std::vector<Bytes> inputs;
};

// A sample with an activation behind it; `rescaled`: whose output has another scale.
Case make_case(const Sample& sample, std::string_view activation, bool rescaled, std::mt19937& random) {
  Case result;
  Graph& graph = result.graph;
  const std::vector<Bytes> data = random_inputs(sample, random);
  Node node{sample.op, {}, {}, "first"};
  for (size_t i = 0; i < sample.in.size(); ++i) {
    node.in.push_back(sample.in[i] ? graph.tensors.size() : no_tensor);
    if (!sample.in[i]) continue;
    if (!sample.in[i]->constant()) {
      graph.inputs.push_back(graph.tensors.size());
      result.inputs.push_back(data[i]);
    }
    graph.tensors.push_back(*sample.in[i]);
  }
  const TensorId middle = graph.tensors.size();
  node.out = {middle};
  TensorType last = sample.out[0];
  if (rescaled) last.quant.scale[0] *= 2;
  graph.tensors.push_back({"middle", sample.out[0], {}});
  graph.tensors.push_back({"last", last, {}});
  graph.nodes = {std::move(node),
                 {make_activation(activation, sample.out[0], last), {middle}, {middle + 1}, "activation"}};
  graph.outputs = {middle + 1};
  return result;
}

class FusedActivation : public testing::TestWithParam<std::string> {};

TEST_P(FusedActivation, GivesTheSameBytes) {
  constexpr std::string_view activations[] = {"RELU", "RELU6", "RELU_N1_TO_1"};
  size_t joined = 0, left = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const Sample sample = definition(GetParam()).sample(random);
    if (!may_be_clamped(sample.out[0])) continue;
    const bool rescaled = sample.out[0].dtype != DType::f32 && seed % 5 == 0;
    const Case one = make_case(sample, activations[seed % 3], rescaled, random);
    const Graph fused = fuse(one.graph);
    ASSERT_NO_THROW(verify(fused)) << sample.op->name() << " " << sample.op->parameters();
    const bool is_joined = fused.nodes.size() == 1;
    EXPECT_FALSE(is_joined && rescaled) << "the activation changes the scale";
    EXPECT_EQ(fused.nodes[0].origin, "first");
    (is_joined ? joined : left) += 1;
    EXPECT_EQ(simulate(fused, make_plan(fused), one.inputs), simulate(one.graph, make_plan(one.graph), one.inputs))
        << "seed " << seed << " " << sample.op->name() << " " << sample.op->parameters();
  }
  EXPECT_GT(joined, 20U);
  EXPECT_GT(left, 20U) << "with an activation of their own, or another scale";
}

INSTANTIATE_TEST_SUITE_P(Operators, FusedActivation,
                         testing::Values("conv2d", "depthwise_conv2d", "fully_connected", "transpose_conv",
                                         "arithmetic"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mote::test
