// SPDX-License-Identifier: Apache-2.0
// Every step of a model runs on the emulated cores, wherever its buffers lie: no compiler takes a call for one
// without effects.
#include <gtest/gtest.h>

#include <algorithm>

#include "measure/measure.hpp"
#include "ops/registry.hpp"
#include "plan/make_plan.hpp"
#include "simulate/simulate.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

// An operator of that name as one of the definition's samples has it.
OperatorPtr some(std::string_view definitions, std::string_view name, DType dtype) {
  const auto all = op::all();
  const auto definition =
      std::find_if(all.begin(), all.end(), [&](const OpDef* def) { return def->name == definitions; });
  Sample sample;
  for (unsigned seed = 0; sample.op == nullptr || sample.op->name() != name || sample.in[0]->type.dtype != dtype;
       ++seed) {
    std::mt19937 random(seed);
    sample = (*definition)->sample(random);
  }
  return sample.op;
}

// A soft maximum of two elements from 8 bits to 16, whose output begins `distance` bytes before its input: g++
// addresses both through one register, and took the writes for writes to nowhere.
Compiled soft_maximum(int64_t distance) {
  Graph graph;
  graph.name = "calls";
  graph.tensors = {{"in", {DType::i8, {1, 2}, {{0.1F}, {0}, -1}}, {}},
                   {"out", {DType::i16, {1, 2}, {{1.0F / 65536}, {-32768}, -1}}, {}}};
  graph.inputs = {0}, graph.outputs = {1};
  graph.nodes.push_back({some("softmax", "softmax", DType::i8), {0}, {1}, "SOFTMAX #0"});
  verify(graph);
  Plan plan = make_plan(graph);
  plan.buffers[plan.outputs[0]].offset = 0;
  plan.buffers[plan.inputs[0]].offset = distance;
  plan.arena_bytes = distance + 16;
  return {graph, plan};
}

class Calls : public testing::TestWithParam<std::string> {};

TEST_P(Calls, HappenWhereverTheBuffersLie) {
  const Bytes input{std::byte{3}, std::byte{250}};
  for (const int64_t distance : {12, 16, 28}) {
    const Compiled model = soft_maximum(distance);
    const std::vector<Bytes> expected = simulate(model.graph, model.plan, {input});
    for (const Mode mode : {Mode::size, Mode::speed}) {
      const Measurement measured = measure(model, find_target(GetParam()), mode, {{input}}, false);
      EXPECT_EQ(measured.outputs.at(0), expected) << name(mode) << " mode, distance " << distance;
    }
  }
}

// Two layers of one kernel, one with an operand that is constant and one without.
TEST_P(Calls, ServeLayersWithConstantsAndWithout) {
  Graph graph;
  graph.name = "calls";
  const TensorType type{DType::i32, {1, 4}, {}};
  graph.tensors = {{"in", type, {}},
                   {"two", type, to_bytes(std::vector<int32_t>{2, 2, 2, 2})},
                   {"sum", type, {}},
                   {"out", type, {}}};
  graph.inputs = {0}, graph.outputs = {3};
  const OperatorPtr add = some("arithmetic", "add", DType::i32);
  graph.nodes = {{add, {0, 1}, {2}, "ADD #0"}, {add, {2, 0}, {3}, "ADD #1"}};
  verify(graph);
  const Compiled model{graph, make_plan(graph)};
  const Bytes input = to_bytes(std::vector<int32_t>{1, -5, 70000, 9});
  const std::vector<Bytes> expected{to_bytes(std::vector<int32_t>{4, -8, 140002, 20})};
  for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
    const Measurement measured = measure(model, find_target(GetParam()), mode, {{input}}, false);
    EXPECT_EQ(measured.outputs.at(0), expected) << name(mode) << " mode";
  }
}

std::vector<std::string> emulated_targets() {
  std::vector<std::string> names;
  for (const Target* const target : target::all()) {
    if (!target->emulator.empty()) names.emplace_back(target->name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Targets, Calls, testing::ValuesIn(emulated_targets()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace mote
