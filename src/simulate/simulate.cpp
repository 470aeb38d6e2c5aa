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

// One call: its kernel on the step's inputs and outputs at these addresses.
using Kernel = std::function<void(std::span<void* const> pointers)>;

void run_kernel(const Step& step, const Kernel& kernel, const Addresses& in, const Addresses& out,
                const Addresses& addresses, int64_t scratch_offset = 0) {
  std::vector<void*> pointers;
  for (const Argument& argument : step.call.arguments) {
    switch (argument.kind) {
      case Argument::Kind::input:
      case Argument::Kind::state: pointers.push_back(in.at(argument.index)); break;
      case Argument::Kind::output: pointers.push_back(out.at(argument.index)); break;
      case Argument::Kind::scratch: pointers.push_back(addresses[step.scratch] + scratch_offset); break;
      case Argument::Kind::constant: {
        const Bytes& data = step.call.constants.at(argument.index).data;
        pointers.push_back(data.empty() ? nullptr : const_cast<std::byte*>(data.data()));
        break;
      }
    }
  }
  kernel(pointers);
}

void run_step(const Step& step, const Addresses& addresses) {
  Addresses in, out;
  for (const size_t buffer : step.in) in.push_back(buffer == no_buffer ? nullptr : addresses[buffer]);
  for (const size_t buffer : step.out) out.push_back(addresses[buffer]);
  run_kernel(step, step.call.run, in, out, addresses);
}

// A segment under way: as generated code does it, with the same closed forms.
class SegmentRun {
 public:
  SegmentRun(const Graph& graph, const Plan& plan, const Segment& segment, const Addresses& addresses)
      : plan_(plan), segment_(segment), addresses_(addresses) {
    for (size_t i = 0; i < segment.steps.size(); ++i) {
      const Node& node = graph.nodes[step(i).node];
      whole_outputs_.emplace_back(static_cast<size_t>(byte_size(graph.tensors[node.out.at(0)].type)));
    }
  }

  void run(bool poison) {
    for (int32_t strip = 0; strip < segment_.strips; ++strip) {
      // Cores come in any order: here against that of the device's NAME_run, so that nothing can rest on one.
      const int32_t now = segment_.parallel ? narrow<int32_t>(segment_.strips) - 1 - strip : strip;
      for (size_t i = 0; i < segment_.steps.size(); ++i) run_strip(i, now);
      if (poison) poison_windows(strip);
    }
  }

  // The output of step `i` of the segment, gathered from the strips.
  [[nodiscard]] const Bytes& output(size_t i) const { return whole_outputs_[i]; }
  [[nodiscard]] const Step& step(size_t i) const { return plan_.steps[segment_.first + i]; }

 private:
  [[nodiscard]] std::byte* place(size_t buffer, const StripTensor& tensor, int64_t row, int32_t strip) const {
    const int64_t first = tensor.window == no_window ? 0 : segment_.windows[tensor.window].first_row(strip);
    return addresses_[buffer] + (row - first) * tensor.row_bytes;
  }

  void run_strip(size_t i, int32_t strip) {
    const StripStep& rows = segment_.steps[i];
    const int32_t begin = rows.done.at(strip - 1), end = rows.done.at(strip);
    if (rows.out.window != no_window) {
      const StripWindow& window = segment_.windows[rows.out.window];
      nn::slide_rows(reinterpret_cast<uint8_t*>(addresses_[window.buffer]), narrow<int32_t>(window.row_bytes),
                     window.first_row(strip - 1), window.first_row(strip), begin);
    }
    if (begin == end) return;
    Addresses in;
    for (size_t k = 0; k < step(i).in.size(); ++k) {
      const StripInput& input = rows.in[k];
      in.push_back(step(i).in[k] == no_buffer ? nullptr
                                              : place(step(i).in[k], input.tensor, input.low.at(begin), strip));
    }
    std::byte* const out = place(step(i).out[0], rows.out, begin, strip);
    const StripStep::Kind& kind = rows.kinds[rows.kind_of_strip[static_cast<size_t>(strip)]];
    run_kernel(step(i), kind.run, in, {out}, addresses_, strip * segment_.scratch_stride);
    Bytes& whole = whole_outputs_[i];
    const int64_t bytes = rows.out.row_bytes == 0 ? std::ssize(whole) : (end - begin) * rows.out.row_bytes;
    std::copy_n(out, bytes, whole.begin() + begin * rows.out.row_bytes);
  }

  // What the next strip does not find any more: rows that nobody reads, and all of a window that keeps none.
  void poison_windows(int32_t strip) const {
    for (const StripWindow& window : segment_.windows) {
      const int64_t kept = window.written.at(strip) - window.first_row(strip + 1);
      const int64_t dead = window.first_row(strip + 1) - window.first_row(strip);
      const int64_t bytes = plan_.buffers[window.buffer].bytes;
      std::byte* const begin = addresses_[window.buffer];
      std::fill_n(begin, std::min(bytes, dead * window.row_bytes), poison_byte);
      const int64_t end = std::min(bytes, (dead + kept) * window.row_bytes);
      std::fill(begin + end, begin + bytes, poison_byte);
    }
  }

  const Plan& plan_;
  const Segment& segment_;
  const Addresses& addresses_;
  std::vector<Bytes> whole_outputs_;
};

// The moves before a step; `poison` overwrites in between what is dead then.
void move_tensors(const Plan& plan, size_t step, const Addresses& addresses, const std::function<void()>& poison) {
  std::vector<std::pair<size_t, Bytes>> moved;
  for (const Move& move : plan.moves) {
    if (move.step != step) continue;
    const std::byte* const from = addresses[move.from];
    moved.emplace_back(move.to, Bytes(from, from + plan.buffers[move.from].bytes));
  }
  poison();
  for (const auto& [to, bytes] : moved) std::copy(bytes.begin(), bytes.end(), addresses[to]);
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

void copy_inputs(const Graph& graph, const Plan& plan, std::span<const ByteSpan> inputs,
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

void copy_outputs(const Graph& graph, const Plan& plan, const Addresses& addresses,
                  std::span<const std::span<std::byte>> outputs) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[graph.outputs[i]];
    require(static_cast<int64_t>(outputs[i].size()) == byte_size(tensor.type),
            "output {} '{}' has {} bytes, room for {} given", i, tensor.name, byte_size(tensor.type),
            outputs[i].size());
    std::copy_n(addresses[plan.outputs[i]], outputs[i].size(), outputs[i].begin());
  }
}

std::vector<ByteSpan> spans_of(const std::vector<Bytes>& inputs) { return {inputs.begin(), inputs.end()}; }

// Room for a run's outputs.
struct OutputBytes {
  explicit OutputBytes(const Graph& graph) {
    for (const TensorId id : graph.outputs)
      bytes.emplace_back(static_cast<size_t>(byte_size(graph.tensors[id].type)));
    spans.assign(bytes.begin(), bytes.end());
  }
  std::vector<Bytes> bytes;
  std::vector<std::span<std::byte>> spans;
};

}  // namespace

struct Simulator::Memory {
  std::vector<AlignedBytes> arenas;
  AlignedBytes pushed;  // the input whose rows are pushed
  Addresses addresses;
};

Simulator::Simulator(const Graph& graph, const Plan& plan)
    : graph_(graph), plan_(plan), memory_(std::make_unique<Memory>()) {
  for (const Arena& arena : arenas_of(plan)) memory_->arenas.push_back(aligned_bytes(arena.bytes));
  for (const Buffer& buffer : plan.buffers)
    memory_->addresses.push_back(memory_->arenas.at(buffer.arena).get() + buffer.offset);
  if (streams_input(plan)) {
    memory_->pushed = aligned_bytes(byte_size(graph.tensors[graph.inputs[0]].type));
    memory_->addresses[plan.inputs[0]] = memory_->pushed.get();
  }
  reset();
}

Simulator::~Simulator() = default;

void Simulator::reset() { set_states(graph_, plan_, memory_->addresses); }

std::vector<Bytes> Simulator::run(const std::vector<Bytes>& inputs, const SimulateOptions& options) {
  OutputBytes outputs(graph_);
  run(spans_of(inputs), outputs.spans, options);
  return std::move(outputs.bytes);
}

void Simulator::run(std::span<const ByteSpan> inputs, std::span<const std::span<std::byte>> outputs,
                    const SimulateOptions& options) {
  require(outputs.size() == graph_.outputs.size(), "the model has {} outputs, room for {} given",
          graph_.outputs.size(), outputs.size());
  const Addresses& addresses = memory_->addresses;
  if (options.poison) poison_dead(plan_, -1, memory_->arenas);
  copy_inputs(graph_, plan_, inputs, addresses);
  const auto finish_step = [&](size_t i) {
    move_tensors(plan_, i + 1, addresses, [&] {
      if (options.poison && i + 1 < plan_.steps.size())
        poison_dead(plan_, static_cast<int64_t>(i), memory_->arenas);
    });
  };
  auto segment = plan_.segments.begin();
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    if (segment != plan_.segments.end() && segment->first == i) {
      SegmentRun run(graph_, plan_, *segment, addresses);
      run.run(options.poison);
      for (size_t k = 0; options.after_step && k < segment->steps.size(); ++k)
        options.after_step(run.step(k), run.output(k));
      finish_step(i = segment->last);
      ++segment;
      continue;
    }
    const Step& step = plan_.steps[i];
    run_step(step, addresses);
    if (options.after_step && !step.out.empty()) {
      const TensorId output = graph_.nodes[step.node].out[0];
      options.after_step(step,
                         {addresses[step.out[0]], static_cast<size_t>(byte_size(graph_.tensors[output].type))});
    }
    finish_step(i);
  }
  copy_outputs(graph_, plan_, addresses, outputs);
}

std::vector<Bytes> simulate(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs,
                            const SimulateOptions& options) {
  return Simulator(graph, plan).run(inputs, options);
}

std::vector<Bytes> simulate_apart(const Graph& graph, const Plan& plan, const std::vector<Bytes>& inputs) {
  std::vector<AlignedBytes> memory;
  Addresses addresses;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const bool pushed = streams_input(plan) && i == plan.inputs[0];
    memory.push_back(
        aligned_bytes(pushed ? byte_size(graph.tensors[graph.inputs[0]].type) : plan.buffers[i].bytes));
    addresses.push_back(memory.back().get());
  }
  set_states(graph, plan, addresses);
  copy_inputs(graph, plan, spans_of(inputs), addresses);
  auto segment = plan.segments.begin();
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    move_tensors(plan, i, addresses, [] {});
    if (segment != plan.segments.end() && segment->first == i) {
      SegmentRun(graph, plan, *segment, addresses).run(false);
      i = segment++->last;
    } else {
      run_step(plan.steps[i], addresses);
    }
  }
  OutputBytes outputs(graph);
  copy_outputs(graph, plan, addresses, outputs.spans);
  return std::move(outputs.bytes);
}

}  // namespace mote
