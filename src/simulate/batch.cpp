// SPDX-License-Identifier: Apache-2.0
#include "simulate/batch.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "simulate/simulate.hpp"

namespace mote {

namespace {

size_t bytes_of(const Graph& graph, TensorId id) { return static_cast<size_t>(byte_size(graph.tensors[id].type)); }

void run_one(Simulator& simulator, const Graph& graph, const Batch& batch, size_t index) {
  std::vector<ByteSpan> inputs;
  std::vector<std::span<std::byte>> outputs;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const size_t bytes = bytes_of(graph, graph.inputs[i]);
    inputs.emplace_back(batch.inputs[i] + index * bytes, bytes);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const size_t bytes = bytes_of(graph, graph.outputs[i]);
    outputs.emplace_back(batch.outputs[i] + index * bytes, bytes);
  }
  if (!batch.sequence) simulator.reset();
  simulator.run(inputs, outputs);
}

}  // namespace

void simulate_batch(const Graph& graph, const Plan& plan, const Batch& batch) {
  require(batch.inputs.size() == graph.inputs.size(), "the model has {} inputs, {} given", graph.inputs.size(),
          batch.inputs.size());
  require(batch.outputs.size() == graph.outputs.size(), "the model has {} outputs, room for {} given",
          graph.outputs.size(), batch.outputs.size());
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr problem;
  const auto work = [&] {
    try {
      Simulator simulator(graph, plan);
      for (size_t i = next++; i < batch.count; i = next++) run_one(simulator, graph, batch, i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!problem) problem = std::current_exception();
      next = batch.count;
    }
  };
  const size_t threads =
      batch.sequence ? 1 : std::clamp<size_t>(batch.threads, 1, std::max<size_t>(batch.count, 1));
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace mote
