// SPDX-License-Identifier: Apache-2.0
// Convolutions on emulated cores against the plain kernel on this machine: the variants for one instruction set
// exist only there.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "measure/measure.hpp"
#include "ops/convolution.hpp"
#include "ops/registry.hpp"
#include "plan/make_plan.hpp"
#include "support/guarded_call.hpp"
#include "target/find.hpp"

namespace mote::test {
namespace {

const OpDef& definition(std::string_view name) {
  const auto all = op::all();
  return **std::find_if(all.begin(), all.end(), [&](const OpDef* def) { return def->name == name; });
}

// A graph of unconnected convolutions: all run in one firmware.
struct Many {
  Graph graph;
  std::vector<Bytes> inputs, expected;
};

void append(Many& many, const Sample& sample, std::mt19937& random) {
  Graph& graph = many.graph;
  Node node{sample.op, {}, {}, fmt::format("sample #{}", graph.nodes.size())};
  for (const std::optional<Tensor>& tensor : sample.in) {
    node.in.push_back(graph.tensors.size());
    graph.tensors.push_back(*tensor);
    graph.tensors.back().name = fmt::format("tensor {}", graph.tensors.size());
  }
  node.out.push_back(graph.tensors.size());
  graph.tensors.push_back({fmt::format("output {}", graph.nodes.size()), sample.out[0], {}});
  graph.inputs.push_back(node.in[0]);
  graph.outputs.push_back(node.out[0]);
  graph.nodes.push_back(std::move(node));
  const std::vector<Bytes> data = random_inputs(sample, random);
  const auto& op = dynamic_cast<const WeightedSum&>(*sample.op);
  const Call plain = convolution::lower_plain(op.problem(input_pointers(sample), sample.out));
  many.expected.push_back(run_guarded(plain, data, sample.out, random)[0]);
  many.inputs.push_back(data[0]);
}

// Two uses of every kernel that `core` has for convolutions, with each stride.
Many many_convolutions(unsigned seed, const Core& core) {
  std::mt19937 random(seed);
  Many many;
  many.graph.name = "convolutions";
  for (const std::string_view name : {"conv2d", "depthwise_conv2d", "fully_connected", "transpose_conv"}) {
    std::map<std::string, int> kernels;
    for (int i = 0; i < 400; ++i) {
      const Sample sample = definition(name).sample(random);
      if (sample.out[0].dtype == DType::f32 || !sample.in[1]->constant()) continue;
      const std::vector<const Tensor*> in = input_pointers(sample);
      const Call call = sample.op->lower_for(core, in, sample.out);
      const auto& op = dynamic_cast<const WeightedSum&>(*sample.op);
      const std::string use = fmt::format("{} {}", call.kernel, op.problem(in, sample.out).shape.stride_width);
      if (++kernels[use] <= 2) append(many, sample, random);
    }
  }
  return many;
}

class EmulatedConvolutions : public testing::TestWithParam<std::string> {};

TEST_P(EmulatedConvolutions, EqualThePlainKernel) {
  const Target& target = find_target(GetParam());
  const Many many = many_convolutions(5, target.core);
  verify(many.graph);
  const Compiled model{many.graph, make_plan(many.graph, target.core)};
  for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
    const Measurement measured = measure(model, target, mode, {many.inputs}, false);
    for (size_t i = 0; i < many.expected.size(); ++i) {
      EXPECT_EQ(measured.outputs[0][i], many.expected[i])
          << name(mode) << " mode, " << many.graph.nodes[i].op->name() << " " << many.graph.nodes[i].origin;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, EmulatedConvolutions,
                         testing::Values("rv32imac", "cortex-m4f", "cortex-m33", "cortex-m55", "lx106"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace mote::test
