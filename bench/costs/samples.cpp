// SPDX-License-Identifier: Apache-2.0
#include "samples.hpp"

#include <algorithm>

#include "ops/registry.hpp"

namespace mote::costs {

namespace {

constexpr unsigned seeds = 400;  // tried for each operator
constexpr size_t layers = 8;     // of a kernel's graph

std::vector<const Tensor*> pointers(const Sample& sample) {
  std::vector<const Tensor*> in;
  for (const std::optional<Tensor>& tensor : sample.in) in.push_back(tensor ? &*tensor : nullptr);
  return in;
}

int64_t size_of(const Sample& sample) {
  const int64_t macs = sample.op->work(pointers(sample), sample.out).macs;
  return macs + elements(sample.out.at(0).shape);
}

// Spread over the sizes, the largest included: slopes come from large layers, intercepts from small ones.
std::vector<Sample> spread(std::vector<Sample> samples) {
  std::stable_sort(samples.begin(), samples.end(),
                   [](const Sample& a, const Sample& b) { return size_of(a) < size_of(b); });
  if (samples.size() <= layers) return samples;
  std::vector<Sample> chosen;
  for (size_t i = 0; i < layers; ++i) chosen.push_back(samples[(i + 1) * (samples.size() - 1) / layers]);
  return chosen;
}

void add_layer(Graph& graph, const Sample& sample, const std::string& name) {
  Node node{sample.op, {}, {}, fmt::format("{} ({})", sample.op->name(), name)};
  for (const std::optional<Tensor>& tensor : sample.in) {
    if (!tensor) {
      node.in.push_back(no_tensor);
      continue;
    }
    node.in.push_back(graph.tensors.size());
    if (!tensor->constant()) graph.inputs.push_back(graph.tensors.size());
    graph.tensors.push_back(*tensor);
    graph.tensors.back().name = fmt::format("{}_in{}", name, node.in.size() - 1);
  }
  for (const TensorType& type : sample.out) {
    node.out.push_back(graph.tensors.size());
    graph.outputs.push_back(graph.tensors.size());
    graph.tensors.push_back({fmt::format("{}_out{}", name, node.out.size() - 1), type, {}});
  }
  graph.nodes.push_back(std::move(node));
}

}  // namespace

std::map<std::string, Graph> kernel_graphs() {
  std::map<std::string, std::vector<Sample>> samples;
  for (const OpDef* const definition : op::all()) {
    for (unsigned seed = 1; seed <= seeds && definition->sample != nullptr; ++seed) {
      std::mt19937 random(seed);
      Sample sample = definition->sample(random);
      if (sample.op->alias() == Alias::view) continue;
      samples[sample.op->lower(pointers(sample), sample.out).kernel].push_back(std::move(sample));
    }
  }
  std::map<std::string, Graph> graphs;
  for (auto& [kernel, found] : samples) {
    Graph& graph = graphs[kernel];
    graph.name = kernel;
    for (const Sample& sample : spread(std::move(found)))
      add_layer(graph, sample, fmt::format("layer{}", graph.nodes.size()));
  }
  return graphs;
}

}  // namespace mote::costs
