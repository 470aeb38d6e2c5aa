// SPDX-License-Identifier: Apache-2.0
#include "samples.hpp"

#include <algorithm>
#include <map>

#include "fit/costs.hpp"
#include "ops/registry.hpp"

namespace mote::costs {

namespace {

constexpr unsigned seeds = 150;         // tried for each operator
constexpr size_t layers = 6;            // of a kernel
constexpr size_t kernels_of_graph = 8;  // more spare builds, and cost the search for an order more

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
  if (samples.size() == 1) samples.push_back(samples[0]);  // a kernel is shared by two layers at least
  if (samples.size() <= layers) return samples;
  std::vector<Sample> chosen;
  for (size_t i = 0; i < layers; ++i) chosen.push_back(samples[(i + 1) * (samples.size() - 1) / layers]);
  return chosen;
}

// Such a layer would have been computed while compiling.
bool reads_constant(const Sample& sample, const Call& call) {
  return std::any_of(call.arguments.begin(), call.arguments.end(), [&](const Argument& argument) {
    const bool read = argument.kind == Argument::Kind::input || argument.kind == Argument::Kind::state;
    return read && sample.in.at(argument.index) && sample.in[argument.index]->constant();
  });
}

void add_layer(Graph& graph, const Sample& sample, const std::string& name) {
  Node node{sample.op, {}, {}, fmt::format("{} ({})", sample.op->name(), name)};
  for (const std::optional<Tensor>& tensor : sample.in) {
    if (!tensor) {
      node.in.push_back(no_tensor);
      continue;
    }
    node.in.push_back(graph.tensors.size());
    if (!tensor->constant() && !tensor->state) graph.inputs.push_back(graph.tensors.size());
    graph.tensors.push_back(*tensor);
    if (tensor->state && tensor->data.empty()) graph.tensors.back().data = initial_state(tensor->type);
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

std::vector<Graph> kernel_graphs(const Core& core) {
  // [cost_name][kernel]
  std::map<std::string, std::map<std::string, std::vector<Sample>>> samples;
  for (const OpDef* const definition : op::all()) {
    for (unsigned seed = 1; seed <= seeds && definition->sample != nullptr; ++seed) {
      std::mt19937 random(seed);
      Sample sample = definition->sample(random);
      if (sample.op->alias() == Alias::view) continue;
      const Call call = sample.op->lower_for(core, pointers(sample), sample.out);
      if (reads_constant(sample, call)) continue;
      samples[cost_name(call.kernel)][call.kernel].push_back(std::move(sample));
    }
  }
  std::vector<Graph> graphs;
  size_t kernels = 0;
  for (auto& [name, instances] : samples) {
    if (kernels++ % kernels_of_graph == 0) graphs.emplace_back().name = fmt::format("kernels{}", graphs.size());
    const auto most = std::max_element(instances.begin(), instances.end(), [](const auto& a, const auto& b) {
      return a.second.size() < b.second.size();
    });
    for (const Sample& sample : spread(std::move(most->second)))
      add_layer(graphs.back(), sample, fmt::format("layer{}", graphs.back().nodes.size()));
  }
  return graphs;
}

std::vector<Graph> kernels_apart(const Compiled& model) {
  std::map<std::string, Graph> graphs;
  for (const Step& step : model.plan.steps) {
    Graph& graph = graphs[cost_name(step.call.kernel)];
    graph.name = fmt::format("{}_{}", model.graph.name, graphs.size());
    Node node = model.graph.nodes[step.node];
    const auto copy = [&](TensorId& id) {
      if (id == no_tensor) return;
      graph.tensors.push_back(model.graph.tensors[id]);
      id = graph.tensors.size() - 1;
    };
    for (TensorId& id : node.in) {
      copy(id);
      if (id != no_tensor && !graph.tensors[id].constant() && !graph.tensors[id].state) graph.inputs.push_back(id);
    }
    for (TensorId& id : node.out) {
      copy(id);
      graph.outputs.push_back(id);
    }
    graph.nodes.push_back(std::move(node));
  }
  std::vector<Graph> apart;
  for (auto& [name, graph] : graphs) apart.push_back(std::move(graph));
  return apart;
}

}  // namespace mote::costs
