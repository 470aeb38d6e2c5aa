// SPDX-License-Identifier: Apache-2.0
#include "report/summary.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "plan/recompute.hpp"

namespace mote {

namespace {

std::string quantisation_text(const TensorType& type) {
  if (type.quant.empty()) return "";
  if (type.quant.scale.size() > 1) return fmt::format(" per channel ({})", type.quant.scale.size());
  return fmt::format(" {:g}*(q{:+})", type.quant.scale[0], -type.quant.zero[0]);
}

std::string tensors_text(const Graph& graph, const std::vector<TensorId>& ids, std::string_view what) {
  std::string text;
  for (const TensorId id : ids) {
    const Tensor& tensor = graph.tensors[id];
    text += fmt::format("{:7} '{}' {} {}{}\n", what, tensor.name, name(tensor.type.dtype),
                        to_text(tensor.type.shape), quantisation_text(tensor.type));
  }
  return text;
}

// The steps that run in strips, with what is kept of the tensors between them.
std::string strips_text(const Plan& plan, size_t step) {
  std::string text;
  for (const Segment& segment : plan.segments) {
    if (segment.first != step) continue;
    if (segment.parallel) {
      const nn::RowCount& done = segment.steps[0].done;
      text += fmt::format("     step {} is split: rows 0 to {} on core 0, to {} on core 1\n", step, done.at(0) - 1,
                          done.at(1) - 1);
      continue;
    }
    text += fmt::format("     steps {} to {} run in {} strips of rows and keep", segment.first, segment.last,
                        segment.strips);
    for (size_t i = 0; i < segment.windows.size(); ++i) {
      const StripWindow& window = segment.windows[i];
      text += fmt::format("{} {} of {}", i == 0 ? "" : ",", plan.buffers[window.buffer].bytes / window.row_bytes,
                          window.written.rows);
    }
    text += " rows\n";
  }
  for (const Move& move : plan.moves) {
    if (move.step == step)
      text += fmt::format("     '{}' moves from {} to {}\n", plan.names[move.from], plan.buffers[move.from].offset,
                          plan.buffers[move.to].offset);
  }
  return text;
}

std::string layers_text(const Compiled& compiled) {
  const Plan& plan = compiled.plan;
  std::string text = fmt::format("\n{:>4} {:>12} {:>10} {:>10}  {:24} layer\n", "step", "MAC", "flash B",
                                 "arena B", "memory in use");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    text += strips_text(plan, i);
    const Node& node = compiled.graph.nodes[plan.steps[i].node];
    const int64_t alive = alive_bytes(plan, i);
    const int64_t macs = macs_of(compiled.graph, node);
    const TensorType& out = compiled.graph.tensors[node.out.at(0)].type;
    text += fmt::format(
        "{:>4} {:>12} {:>10} {:>10}  {} {}\n{:>66} -> {} {}{}\n", i, macs > 0 ? thousands(macs) : "",
        thousands(constant_bytes(plan.steps[i])), thousands(alive),
        bar(static_cast<double>(alive) / static_cast<double>(std::max<int64_t>(plan.arena_bytes, 1)), 24),
        node.origin, "", name(out.dtype), to_text(out.shape), quantisation_text(out));
  }
  return text;
}

}  // namespace

int64_t alive_bytes(const Plan& plan, size_t index) {
  const auto step = static_cast<int64_t>(index);
  int64_t high = 0;
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.live.first <= step && step <= buffer.live.last) high = std::max(high, buffer.offset + buffer.bytes);
  }
  return high;
}

int64_t constant_bytes(const Step& step) {
  int64_t bytes = 0;
  for (const Constant& constant : step.call.constants) bytes += static_cast<int64_t>(constant.data.size());
  return bytes;
}

nlohmann::ordered_json twice_json(const Graph& graph) {
  nlohmann::ordered_json json;
  int64_t macs = 0;
  for (const Repeat& repeat : repeats_of(graph)) {
    json["layers"].push_back(graph.nodes[repeat.first].origin);
    macs += macs_of(graph, graph.nodes[repeat.node]);
  }
  if (!json.empty()) json["macs"] = macs;
  return json;
}

std::string notes_text(const Compiled& compiled) {
  std::string text;
  for (const std::string& note : compiled.graph.notes) text += fmt::format("note    {}\n", note);
  const nlohmann::ordered_json twice = twice_json(compiled.graph);
  if (!twice.empty()) {
    const auto macs = twice["macs"].get<int64_t>();
    const int64_t others = std::max<int64_t>(total_macs(compiled.graph) - macs, 1);
    text += fmt::format("twice   {} layers are computed twice: {} of {} MAC more ({:.1f} %)\n",
                        twice["layers"].size(), thousands(macs), thousands(others),
                        100.0 * static_cast<double>(macs) / static_cast<double>(others));
  }
  for (size_t i = 0; i < compiled.plan.arenas.size(); ++i) {
    text += fmt::format("memory  {} of {} B in {}\n", arena_name(i), thousands(compiled.plan.arenas[i].bytes),
                        compiled.plan.arenas[i].memory);
  }
  return text;
}

std::string summary_text(const Compiled& compiled, const std::string& model) {
  const Graph& graph = compiled.graph;
  const Plan& plan = compiled.plan;
  return fmt::format("{}: {} steps, {} MAC, {} B weights, arena {} B (lower bound {} B)\n", model,
                     plan.steps.size(), thousands(total_macs(graph)), thousands(flash_data(plan).weight_bytes),
                     thousands(plan.arena_bytes), thousands(plan.lower_bound_bytes)) +
         tensors_text(graph, graph.inputs, "input") + tensors_text(graph, graph.outputs, "output") +
         notes_text(compiled) + layers_text(compiled);
}

}  // namespace mote
