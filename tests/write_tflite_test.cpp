// SPDX-License-Identifier: Apache-2.0
// Every operator that can be written to a .tflite file, on random samples: what is read back computes the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "import/import.hpp"
#include "ops/registry.hpp"
#include "plan/make_plan.hpp"
#include "quantize/to_tflite.hpp"
#include "simulate/simulate.hpp"
#include "support/guarded_call.hpp"

namespace mote {

static void PrintTo(const OpDef* definition, std::ostream* out) { *out << definition->name; }

namespace {

// The sample as a graph of one node; nothing where it keeps a state.
std::optional<Graph> graph_of(const Sample& sample) {
  Graph graph;
  graph.name = "sample";
  Node node{sample.op, {}, {}, "SAMPLE"};
  for (const std::optional<Tensor>& tensor : sample.in) {
    node.in.push_back(tensor ? graph.tensors.size() : no_tensor);
    if (!tensor) continue;
    if (tensor->state) return std::nullopt;
    graph.tensors.push_back(*tensor);
    graph.tensors.back().name = fmt::format("in{}", graph.tensors.size());
    if (!tensor->constant()) graph.inputs.push_back(node.in.back());
  }
  for (const TensorType& type : sample.out) {
    node.out.push_back(graph.tensors.size());
    graph.tensors.push_back({fmt::format("out{}", node.out.size()), type, {}});
  }
  graph.outputs = node.out;
  graph.nodes.push_back(std::move(node));
  return graph.inputs.empty() ? std::nullopt : std::optional<Graph>(graph);
}

std::vector<Bytes> run(const Graph& graph, const std::vector<Bytes>& inputs) {
  return simulate_apart(graph, make_plan(graph), inputs);
}

class WrittenOperator : public testing::TestWithParam<const OpDef*> {};

// Those whose to_tflite() is still to be written; they are errors that name the node.
const std::set<std::string_view> refused{"byte_table",
                                         "detection",
                                         "functions",
                                         "linear_softmax",
                                         "one_hot",
                                         "recurrent",
                                         "resource_variable",
                                         "reverse_sequence",
                                         "scatter",
                                         "shape",
                                         "shifted_sum",
                                         "signal_fft",
                                         "signal_filter_bank",
                                         "signal_frontend",
                                         "signal_stream",
                                         "svdf",
                                         "unidirectional_sequence_lstm",
                                         "update_slice"};

TEST_P(WrittenOperator, ComputesTheSameWhenReadBack) {
  if (GetParam()->sample == nullptr) GTEST_SKIP() << "has no sample";
  size_t written = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    const Sample sample = GetParam()->sample(random);
    const std::optional<Graph> graph = graph_of(sample);
    if (!graph) continue;
    SCOPED_TRACE(fmt::format("seed {}: {{{}}}\n{}", seed, sample.op->parameters(), dump(*graph)));
    Bytes file;
    try {
      file = to_tflite(*graph);
    } catch (const Error& problem) {
      EXPECT_TRUE(std::string_view(problem.what()).starts_with("SAMPLE: ")) << problem.what();
      continue;
    }
    ++written;
    ASSERT_NO_THROW({
      const Graph again = import_model(file, "sample");
      std::vector<Bytes> inputs;
      for (const TensorId id : graph->inputs)
        inputs.push_back(test::noise(static_cast<size_t>(byte_size(graph->tensors[id].type)), random));
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (graph->tensors[graph->inputs[i]].type.dtype != DType::f32) continue;
        std::vector<float> reals;
        for (size_t k = 0; k < inputs[i].size() / 4; ++k)
          reals.push_back(static_cast<float>(static_cast<int64_t>(random() % 2001) - 1000) / 128.0F);
        inputs[i] = to_bytes(reals);
      }
      EXPECT_EQ(run(again, inputs), run(*graph, inputs));
    });
    if (HasFailure()) return;
  }
  EXPECT_EQ(written == 0, refused.count(GetParam()->name) > 0) << written << " samples written";
}

INSTANTIATE_TEST_SUITE_P(All, WrittenOperator, testing::ValuesIn(op::all().begin(), op::all().end()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace mote
