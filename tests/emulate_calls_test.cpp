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

// A soft maximum of two elements from 8 bits to 16, whose output begins `distance` bytes before its input: g++
// addresses both through one register, and took the writes for writes to nowhere.
Compiled soft_maximum(int64_t distance) {
  const auto all = op::all();
  const auto definition = std::find_if(all.begin(), all.end(),
                                       [](const OpDef* def) { return std::string_view(def->name) == "softmax"; });
  Sample sample;
  for (unsigned seed = 0; sample.op == nullptr || sample.in[0]->type.dtype != DType::i8; ++seed) {
    std::mt19937 random(seed);
    sample = (*definition)->sample(random);
  }
  Graph graph;
  graph.name = "calls";
  graph.tensors = {{"in", {DType::i8, {1, 2}, {{0.1F}, {0}, -1}}, {}},
                   {"out", {DType::i16, {1, 2}, {{1.0F / 65536}, {-32768}, -1}}, {}}};
  graph.inputs = {0}, graph.outputs = {1};
  graph.nodes.push_back({sample.op, {0}, {1}, "SOFTMAX #0"});
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
