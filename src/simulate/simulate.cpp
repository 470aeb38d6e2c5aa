// SPDX-License-Identifier: Apache-2.0
#include "simulate/simulate.hpp"

#include <algorithm>
#include <memory>
#include <new>

namespace mote {

namespace {

constexpr std::byte poison_byte{0xA5};

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete (bytes, std::align_val_t{16}); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

AlignedBytes aligned_bytes(int64_t count) {
  const auto size = static_cast<size_t>(std::max<int64_t>(count, 1));
  AlignedBytes bytes(static_cast<std::byte*>(::operator new (size, std::align_val_t{16})));
  std::fill_n(bytes.get(), size, poison_byte);
  return bytes;
}

// Where each buffer of a plan lives.
using Addresses = std::vector<std::byte*>;

void run_step(const Step& step, const Addresses& addresses) {
  std::vector<void*> pointers;
  for (const Argument& argument : step.call.arguments) {
    switch (argument.kind) {
      case Argument::Kind::input:
      case Argument::Kind::state: pointers.push_back(addresses[step.in.at(argument.index)]); break;
      case Argument::Kind::output: pointers.push_back(addresses[step.out.at(argument.index)]); break;
      case Argument::Kind::scratch: pointers.push_back(addresses[step.scratch]); break;
      case Argument::Kind::constant: {
        const Bytes& data = step.call.constants.at(argument.index).data;
        pointers.push_back(data.empty() ? nullptr : const_cast<std::byte*>(data.data()));
        break;
      }
    }
  }
  step.call.run(pointers);
}

// Overwrites the arenas' bytes that no buffer alive after step `done` uses (-1: before the first; inputs are not
// there yet).
void poison_dead(const Plan& plan, int64_t done, const std::vector<AlignedBytes>& arenas) {
  std::vector<std::vector<bool>> alive;
  for (const Arena& arena : arenas_of(plan)) alive.emplace_back(static_cast<size_t>(arena.bytes), false);
  const auto keep = [&](const Buffer& buffer) {
    std::fill_n(alive[buffer.arena].begin() + buffer.offset, buffer.bytes, true);
  };
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.live.first <= done && buffer.live.last > done) keep(buffer);
  }
  for (const State& state : plan.states) keep(plan.buffers[state.buffer]);
  for (size_t arena = 0; arena < alive.size(); ++arena) {
    for (size_t i = 0; i < alive[arena].size(); ++i) {
      if (!alive[arena][i]) arenas[arena][i] = poison_byte;
    }
  }
}

void copy_inputs(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs,
                 const Addresses& addresses) {
  require(inputs.size() == graph.inputs.size(), "the model has {} inputs, {} given", graph.inputs.size(),
          inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.inputs[i]];
    require(static_cast<int64_t>(inputs[i].size()) == byte_size(tensor.type),
            "input {} '{}' has {} bytes, the model needs {} ({} {})", i, tensor.name, inputs[i].size(),
            byte_size(tensor.type), to_text(tensor.type.shape), name(tensor.type.dtype));
    std::copy(inputs[i].begin(), inputs[i].end(), addresses[plan.inputs[i]]);
  }
}

void set_states(const Graph& graph, const Plan& plan, const Addresses& addresses) {
  for (const State& state : plan.states) {
    const Bytes& content = graph.tensors[state.tensor].data;
    std::copy(content.begin(), content.end(), addresses[state.buffer]);
  }
}

std::vector<Bytes> copy_outputs(const Graph& graph, const Plan& plan, const Addresses& addresses) {
  std::vector<Bytes> outputs;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::byte* const begin = addresses[plan.outputs[i]];
    outputs.emplace_back(begin, begin + byte_size(graph.tensors[graph.outputs[i]].type));
  }
  return outputs;
}

}  // namespace

struct Simulator::Memory {
  std::vector<AlignedBytes> arenas;
  Addresses addresses;
};

Simulator::Simulator(const Graph& graph, const Plan& plan)
    : graph_(graph), plan_(plan), memory_(std::make_unique<Memory>()) {
  for (const Arena& arena : arenas_of(plan)) memory_->arenas.push_back(aligned_bytes(arena.bytes));
  for (const Buffer& buffer : plan.buffers)
    memory_->addresses.push_back(memory_->arenas.at(buffer.arena).get() + buffer.offset);
  reset();
}

Simulator::~Simulator() = default;

void Simulator::reset() { set_states(graph_, plan_, memory_->addresses); }

std::vector<Bytes> Simulator::run(const std::vector<Bytes>& inputs, const SimulateOptions& options) {
  const Addresses& addresses = memory_->addresses;
  if (options.poison) poison_dead(plan_, -1, memory_->arenas);
  copy_inputs(graph_, plan_, inputs, addresses);
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    run_step(step, addresses);
    if (options.after_step && !step.out.empty()) {
      const TensorId output = graph_.nodes[step.node].out[0];
      options.after_step(step,
                         {addresses[step.out[0]], static_cast<size_t>(byte_size(graph_.tensors[output].type))});
    }
    if (options.poison && i + 1 < plan_.steps.size()) poison_dead(plan_, static_cast<int64_t>(i), memory_->arenas);
  }
  return copy_outputs(graph_, plan_, addresses);
}

std::vector<Bytes> simulate(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs,
                            const SimulateOptions& options) {
  return Simulator(graph, plan).run(inputs, options);
}

std::vector<Bytes> simulate_apart(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs) {
  std::vector<AlignedBytes> memory;
  Addresses addresses;
  for (const Buffer& buffer : plan.buffers) {
    memory.push_back(aligned_bytes(buffer.bytes));
    addresses.push_back(memory.back().get());
  }
  set_states(graph, plan, addresses);
  copy_inputs(graph, plan, inputs, addresses);
  for (const Step& step : plan.steps) run_step(step, addresses);
  return copy_outputs(graph, plan, addresses);
}

}  // namespace mote
