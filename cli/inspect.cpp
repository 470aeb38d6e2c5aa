// SPDX-License-Identifier: Apache-2.0
// mote inspect: what a model is made of, and its memory over time.
#include "commands.hpp"
#include "common.hpp"
#include "report/arena.hpp"
#include "report/summary.hpp"

namespace mote::cli {

namespace {

struct Flags {
  ModelFile model;
  std::string mode = "balanced";
  int cores = 1;
  bool stream_input = false;
  std::optional<int64_t> ram;
  bool json = false, dump = false;
};

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
                      {"flash_bytes", constant_bytes(step)},
                      {"arena_bytes", alive_bytes(compiled.plan, i)},
                      {"dtype", name(out.dtype)},
                      {"shape", out.shape},
                      {"scale", out.quant.scale},
                      {"zero_point", out.quant.zero}});
  }
  return layers;
}

void inspect(const Flags& flags) {
  PlanOptions options = plan_options(parse_mode(flags.mode), {}, flags.ram, flags.cores);
  options.stream_input = flags.stream_input;
  const Compiled compiled = compile(flags.model, options);
  check_fits(compiled, {flags.ram, {}});
  const std::string file_name = std::filesystem::path(flags.model.path).filename().string();
  const FlashData flash = flash_data(compiled.plan);
  if (flags.json) {
    nlohmann::ordered_json json{{"model", file_name},
                                {"macs", total_macs(compiled.graph)},
                                {"arena_bytes", compiled.plan.arena_bytes},
                                {"arena_lower_bound_bytes", compiled.plan.lower_bound_bytes},
                                {"weight_bytes", flash.weight_bytes},
                                {"notes", compiled.graph.notes},
                                {"segments", segments_json(compiled.plan)},
                                {"layers", layers_json(compiled)}};
    const nlohmann::ordered_json twice = twice_json(compiled.graph);
    if (!twice.empty()) json["computed_twice"] = twice;
    return print_json(json);
  }
  if (flags.dump) {
    fmt::print("{}", dump(compiled.graph));
    return;
  }
  fmt::print("{}", summary_text(compiled, file_name));
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto* const command = app.add_subcommand("inspect", "show layers, quantisation, MACs and memory over time");
  const auto flags = std::make_shared<Flags>();
  add_model_file(*command, flags->model);
  command->add_option("--optimize", flags->mode, "size, balanced or speed: what the memory plan is made for")
      ->capture_default_str();
  add_cores(*command, flags->cores);
  add_stream_input(*command, flags->stream_input);
  add_arena_limit(*command, flags->ram);
  command->add_flag("--json", flags->json, "print one JSON object instead of text");
  command->add_flag("--dump", flags->dump, "print the optimised graph, one line a node");
  command->callback([flags] { inspect(*flags); });
}

}  // namespace mote::cli
