// SPDX-License-Identifier: Apache-2.0
// Runs a plan on the host with the device's kernels and the plan's arena offsets.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

struct SimulateOptions {
  bool poison =
      false;  // overwrite every byte as soon as its last reader is done, and all free bytes before the run
  std::function<void(const Step& step, std::span<const std::byte> output)> after_step;  // output 0 of the step
};

// A device in memory: arenas that live from run to run, so that the model's state does.
class Simulator {
 public:
  Simulator(const Graph& graph, const Plan& plan);  // both must outlive it; state is at its initial values
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;
  ~Simulator();

  void reset();  // the state back to its initial values

  // `inputs`: raw bytes for each graph input. Returns the raw bytes of each output. Throws Error on a wrong size.
  [[nodiscard]] std::vector<Bytes> run(const std::vector<Bytes>& inputs, const SimulateOptions& options = {});

  // The same between memory of the caller's: one span a graph input and output.
  void run(std::span<const ByteSpan> inputs, std::span<const std::span<std::byte>> outputs,
           const SimulateOptions& options = {});

 private:
  struct Memory;
  const Graph& graph_;
  const Plan& plan_;
  std::unique_ptr<Memory> memory_;
};

// One run from the initial state.
[[nodiscard]] std::vector<Bytes> simulate(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs,
                                          const SimulateOptions& options = {});

// One run from the initial state with the same kernels, but every buffer has memory of its own: what any plan must
// reproduce.
[[nodiscard]] std::vector<Bytes> simulate_apart(const Graph& graph, const Plan& plan,
                                                const std::vector<Bytes>& inputs);

}  // namespace mote
