// SPDX-License-Identifier: Apache-2.0
#include "compile/compile.hpp"

#include "base/files.hpp"
#include "passes/passes.hpp"
#include "plan/recompute.hpp"

namespace mote {

Graph optimise(Graph graph) {
  graph = fuse(std::move(graph));
  graph = remove_dead(std::move(graph));
  verify(graph);
  return graph;
}

Compiled compile_file(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes,
                      const PlanOptions& plan) {
  const Bytes file = read_file(path);
  try {
    return compile_model(file, path.stem().string(), {shapes, path}, plan);
  } catch (const Error& problem) {
    fail("{}: {}", path.string(), problem.what());
  }
}

Compiled compile_model(ByteSpan file, std::string_view name, const ImportOptions& options,
                       const PlanOptions& plan) {
  Graph graph = optimise(import_model(file, name, options));
  if (plan.stream_input) graph = stream_input(std::move(graph));
  return planned(std::move(graph), plan);
}

Compiled planned(Graph graph, const PlanOptions& options) {
  Plan plan = make_plan(graph, options);
  // What is pushed row by row is there once.
  if (options.recompute_above_bytes && plan.arena_bytes > *options.recompute_above_bytes &&
      !options.stream_input) {
    if (std::optional<Recomputed> smaller = recompute(graph, plan, options))
      return {std::move(smaller->graph), std::move(smaller->plan)};
  }
  return {std::move(graph), std::move(plan)};
}

Compiled planned_for(const Compiled& model, const PlanOptions& plan) { return planned(model.graph, plan); }

PlanOptions plan_options(Mode mode, const Core& core, std::optional<int64_t> ram_bytes, int cores) {
  PlanOptions options(core);
  options.core.compact = mode == Mode::size;
  options.cores = cores;
  options.arena_goal_bytes = mode == Mode::size ? std::optional<int64_t>(0) : ram_bytes;
  options.recompute_above_bytes = ram_bytes;
  return options;
}

int64_t macs_of(const Graph& graph, const Node& node) {
  return node.op->work(inputs_of(graph, node), output_types(graph, node)).macs;
}

int64_t total_macs(const Graph& graph) {
  int64_t total = 0;
  for (const Node& node : graph.nodes) total += macs_of(graph, node);
  return total;
}

}  // namespace mote
