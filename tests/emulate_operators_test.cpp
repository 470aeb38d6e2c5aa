// SPDX-License-Identifier: Apache-2.0
// Every kernel that an operator's samples use, on an emulated core: it compiles there, where int32_t is a long and
// pointers have 32 bits, and computes what the simulator computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "measure/measure.hpp"
#include "ops/registry.hpp"
#include "plan/make_plan.hpp"
#include "support/guarded_call.hpp"
#include "target/find.hpp"

namespace mote::test {
namespace {

// A graph of unconnected nodes: all run in one firmware.
struct Many {
  Graph graph;
  std::vector<Bytes> inputs;
};

void append(Many& many, const Sample& sample, std::mt19937& random) {
  Graph& graph = many.graph;
  Node node{sample.op, {}, {}, fmt::format("{} #{}", sample.op->name(), graph.nodes.size())};
  const std::vector<Bytes> data = random_inputs(sample, random);
  for (size_t i = 0; i < sample.in.size(); ++i) {
    node.in.push_back(sample.in[i] ? graph.tensors.size() : no_tensor);
    if (!sample.in[i]) continue;
    if (!sample.in[i]->constant() && !sample.in[i]->state) {
      graph.inputs.push_back(graph.tensors.size());
      many.inputs.push_back(data[i]);
    }
    graph.tensors.push_back(*sample.in[i]);
    Tensor& tensor = graph.tensors.back();
    tensor.name = fmt::format("tensor {}", graph.tensors.size());
    if (tensor.state && tensor.data.empty()) tensor.data = initial_state(tensor.type);
  }
  for (const TensorType& type : sample.out) {
    node.out.push_back(graph.tensors.size());
    graph.outputs.push_back(graph.tensors.size());
    graph.tensors.push_back({fmt::format("tensor {}", graph.tensors.size() + 1), type, {}});
  }
  graph.nodes.push_back(std::move(node));
}

// One sample for each kernel.
Many every_kernel_of(const OpDef& definition) {
  Many many;
  many.graph.name = "samples";
  std::set<std::string> kernels;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const Sample sample = definition.sample(random);
    const Call call = sample.op->lower(input_pointers(sample), sample.out);
    if (!call.empty() && kernels.insert(call.kernel).second) append(many, sample, random);
  }
  return many;
}

class EmulatedOperator : public testing::TestWithParam<const OpDef*> {};

TEST_P(EmulatedOperator, EqualsTheSimulator) {
  const Many many = every_kernel_of(*GetParam());
  if (many.graph.nodes.empty()) GTEST_SKIP() << "only views, for which nothing runs";
  verify(many.graph);
  const Compiled model{many.graph, make_plan(many.graph)};
  const Measurement expected = measure(model, find_target("host"), Mode::size, {many.inputs}, false);
  const Measurement measured = measure(model, find_target("cortex-m0plus"), Mode::size, {many.inputs}, false);
  size_t place = 0;
  for (const Node& node : many.graph.nodes) {
    for (const TensorId id : node.out) {
      const TensorType& type = many.graph.tensors[id].type;
      const Bytes& right = expected.outputs[0][place];
      const double tolerance = type.dtype == DType::f32 ? 1e-5 : 0.0;  // float routines differ in their last bits
      EXPECT_LE(difference(type, measured.outputs[0][place], to_reals(type, right)), tolerance)
          << node.origin << " {" << node.op->parameters() << "}";
      ++place;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedOperator, testing::ValuesIn(op::all().begin(), op::all().end()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace mote::test
