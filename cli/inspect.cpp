// SPDX-License-Identifier: Apache-2.0
// mote inspect: what a model is made of, and its memory over time.
#include <algorithm>

#include "base/files.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "report/arena.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFile model;
  std::string mode = "balanced";
  bool json = false, dump = false;
};

std::string quantisation_text(const TensorType& type) {
  if (type.quant.empty()) return "";
  if (type.quant.scale.size() > 1) return fmt::format(" per channel ({})", type.quant.scale.size());
  return fmt::format(" {:g}*(q{:+})", type.quant.scale[0], -type.quant.zero[0]);
}

int64_t alive_bytes(const Plan& plan, size_t index) {
  const auto step = static_cast<int64_t>(index);
  int64_t high = 0;
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.live.first <= step && step <= buffer.live.last) high = std::max(high, buffer.offset + buffer.bytes);
  }
  return high;
}

int64_t weight_bytes(const Step& step) {
  int64_t bytes = 0;
  for (const Constant& constant : step.call.constants) bytes += static_cast<int64_t>(constant.data.size());
  return bytes;
}

void print_tensors(const Graph& graph, const std::vector<TensorId>& ids, std::string_view what) {
  for (const TensorId id : ids) {
    const Tensor& tensor = graph.tensors[id];
    fmt::print("{:7} '{}' {} {}{}\n", what, tensor.name, name(tensor.type.dtype), to_text(tensor.type.shape),
               quantisation_text(tensor.type));
  }
}

// The steps that run in strips, with what is kept of the tensors between them.
void print_strips(const Plan& plan, size_t step) {
  for (const Segment& segment : plan.segments) {
    if (segment.first != step) continue;
    fmt::print("     steps {} to {} run in {} strips of rows and keep", segment.first, segment.last,
               segment.strips);
    for (size_t i = 0; i < segment.windows.size(); ++i) {
      const StripWindow& window = segment.windows[i];
      fmt::print("{} {} of {}", i == 0 ? "" : ",", plan.buffers[window.buffer].bytes / window.row_bytes,
                 window.written.rows);
    }
    fmt::print(" rows\n");
  }
  for (const Move& move : plan.moves) {
    if (move.step == step)
      fmt::print("     '{}' moves from {} to {}\n", plan.names[move.from], plan.buffers[move.from].offset,
                 plan.buffers[move.to].offset);
  }
}

void print_layers(const Compiled& compiled) {
  const Plan& plan = compiled.plan;
  fmt::print("\n{:>4} {:>12} {:>10} {:>10}  {:24} layer\n", "step", "MAC", "flash B", "arena B", "memory in use");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    print_strips(plan, i);
    const Node& node = compiled.graph.nodes[plan.steps[i].node];
    const int64_t alive = alive_bytes(plan, i);
    const int64_t macs = macs_of(compiled.graph, node);
    const TensorType& out = compiled.graph.tensors[node.out.at(0)].type;
    fmt::print("{:>4} {:>12} {:>10} {:>10}  {} {}\n{:>66} -> {} {}{}\n", i, macs > 0 ? thousands(macs) : "",
               thousands(weight_bytes(plan.steps[i])), thousands(alive),
               bar(static_cast<double>(alive) / static_cast<double>(std::max<int64_t>(plan.arena_bytes, 1)), 24),
               node.origin, "", name(out.dtype), to_text(out.shape), quantisation_text(out));
  }
}

nlohmann::ordered_json layers_json(const Compiled& compiled) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (size_t i = 0; i < compiled.plan.steps.size(); ++i) {
    const Step& step = compiled.plan.steps[i];
    const Node& node = compiled.graph.nodes[step.node];
    const TensorType& out = compiled.graph.tensors[node.out.at(0)].type;
    layers.push_back({{"name", node.origin},
                      {"op", node.op->name()},
                      {"parameters", node.op->parameters()},
                      {"kernel", step.call.kernel},
                      {"macs", macs_of(compiled.graph, node)},
                      {"flash_bytes", weight_bytes(step)},
                      {"arena_bytes", alive_bytes(compiled.plan, i)},
                      {"dtype", name(out.dtype)},
                      {"shape", out.shape},
                      {"scale", out.quant.scale},
                      {"zero_point", out.quant.zero}});
  }
  return layers;
}

void inspect(const Flags& flags) {
  const Compiled compiled = compile(flags.model, plan_options(parse_mode(flags.mode)));
  const std::string file_name = std::filesystem::path(flags.model.path).filename().string();
  const FlashData flash = flash_data(compiled.plan);
  if (flags.json) {
    return print_json({{"model", file_name},
                       {"macs", total_macs(compiled.graph)},
                       {"arena_bytes", compiled.plan.arena_bytes},
                       {"arena_lower_bound_bytes", compiled.plan.lower_bound_bytes},
                       {"weight_bytes", flash.weight_bytes},
                       {"notes", compiled.graph.notes},
                       {"segments", segments_json(compiled.plan)},
                       {"layers", layers_json(compiled)}});
  }
  if (flags.dump) {
    fmt::print("{}", dump(compiled.graph));
    return;
  }
  fmt::print("{}: {} steps, {} MAC, {} B weights, arena {} B (lower bound {} B)\n", file_name,
             compiled.plan.steps.size(), thousands(total_macs(compiled.graph)), thousands(flash.weight_bytes),
             thousands(compiled.plan.arena_bytes), thousands(compiled.plan.lower_bound_bytes));
  print_tensors(compiled.graph, compiled.graph.inputs, "input");
  print_tensors(compiled.graph, compiled.graph.outputs, "output");
  print_notes(compiled);
  print_layers(compiled);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto* const command = app.add_subcommand("inspect", "show layers, quantisation, MACs and memory over time");
  const auto flags = std::make_shared<Flags>();
  add_model_file(*command, flags->model);
  command->add_option("--optimize", flags->mode, "size, balanced or speed: what the memory plan is made for")
      ->capture_default_str();
  command->add_flag("--json", flags->json, "print one JSON object instead of text");
  command->add_flag("--dump", flags->dump, "print the optimised graph, one line a node");
  command->callback([flags] { inspect(*flags); });
}

}  // namespace mote::cli
