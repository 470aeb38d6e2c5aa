// SPDX-License-Identifier: Apache-2.0
// Every kernel that an operator's samples use, on an emulated core: it compiles there, where int32_t is a long and
// pointers have 32 bits, and computes what the simulator computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
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

// Some samples for each kernel.
Many every_kernel_of(const OpDef& definition, const Core& core, int samples) {
  Many many;
  many.graph.name = "samples";
  std::map<std::string, int> kernels;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const Sample sample = definition.sample(random);
    const Call call = sample.op->lower_for(core, input_pointers(sample), sample.out);
    if (!call.empty() && ++kernels[call.kernel] <= samples) append(many, sample, random);
  }
  return many;
}

struct Place {
  const OpDef* definition;
  std::string_view target;
  int samples;
};

class EmulatedOperator : public testing::TestWithParam<Place> {};

TEST_P(EmulatedOperator, EqualsTheSimulator) {
  const Target& target = find_target(GetParam().target);
  const Many many = every_kernel_of(*GetParam().definition, target.core, GetParam().samples);
  if (many.graph.nodes.empty()) GTEST_SKIP() << "only views, for which nothing runs";
  verify(many.graph);
  const Compiled model{many.graph, make_plan(many.graph, target.core)};
  const Measurement expected = measure(model, find_target("host"), Mode::size, {many.inputs}, false);
  const Measurement measured = measure(model, target, Mode::size, {many.inputs}, false);
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

std::vector<Place> places(const std::vector<std::string_view>& targets, const std::set<std::string_view>& names,
                          int samples) {
  std::vector<Place> result;
  for (const std::string_view target : targets) {
    for (const OpDef* definition : op::all()) {
      if (names.empty() || names.count(definition->name) != 0) result.push_back({definition, target, samples});
    }
  }
  return result;
}

std::string place_name(const testing::TestParamInfo<Place>& info) {
  std::string name = fmt::format("{}_{}", info.param.definition->name, info.param.target);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedOperator, testing::ValuesIn(places({"cortex-m0plus"}, {}, 1)), place_name);

// Operators whose portable kernels have parts in other cores' instructions.
INSTANTIATE_TEST_SUITE_P(Variants, EmulatedOperator,
                         testing::ValuesIn(places({"cortex-m4f", "cortex-m55"}, {"arithmetic", "max_pool"}, 1)),
                         place_name);
INSTANTIATE_TEST_SUITE_P(Recurrent, EmulatedOperator,
                         testing::ValuesIn(places({"cortex-m4f", "cortex-m55"},
                                                  {"svdf", "unidirectional_sequence_lstm"}, 4)),
                         place_name);

}  // namespace
}  // namespace mote::test
