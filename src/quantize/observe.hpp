// SPDX-License-Identifier: Apache-2.0
// What a float model's tensors hold while it runs over samples.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ir/graph.hpp"
#include "plan/make_plan.hpp"
#include "quantize/options.hpp"
#include "quantize/samples.hpp"
#include "quantize/scheme.hpp"
#include "simulate/simulate.hpp"

namespace mote {

// Shows what is computed: every input of the model, the first output of every node that runs, and the views of
// both, as bytes of the tensor's type.
using Visit = std::function<void(TensorId tensor, ByteSpan content)>;

// Runs a graph, each time from its initial state. The graph must outlive it.
class SampleRunner {
 public:
  explicit SampleRunner(const Graph& graph);

  std::vector<Bytes> run(const std::vector<Bytes>& inputs, const Visit& visit = {});

 private:
  void show(TensorId id, ByteSpan content, const Visit& visit) const;

  const Graph& graph_;
  std::vector<std::vector<TensorId>> views_;  // by tensor
  Plan plan_;
  Simulator simulator_;
};

// The outputs of each sample.
std::vector<std::vector<Bytes>> run_samples(const Graph& graph, const Samples& samples, const Visit& visit = {});

// The quantisation of each group of the scheme (index: Scheme::group), from the values that its tensors take.
[[nodiscard]] std::vector<Quantization> quantizations(const Graph& graph, const Scheme& scheme,
                                                      const Samples& samples, const QuantizeOptions& options);

// By node: the means of its input by channel (of a dense layer: by the index that its sums run over), for layers
// each of whose outputs sums over all weights of its channel; empty for others.
[[nodiscard]] std::vector<std::vector<double>> input_means(const Graph& graph, const Scheme& scheme,
                                                           const Samples& samples);

}  // namespace mote
