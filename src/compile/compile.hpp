// SPDX-License-Identifier: Apache-2.0
// From a model file's bytes to a planned graph: the pipeline on one page.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "codegen/codegen.hpp"
#include "import/import.hpp"
#include "ir/graph.hpp"
#include "plan/make_plan.hpp"

namespace mote {

struct Compiled {
  Graph graph;
  Plan plan;
};

// Imports, optimises and plans for `core`. `name`, made a C identifier, is that of the generated code.
// Throws Error that lists everything in the file that is not supported, by node.
[[nodiscard]] Compiled compile_model(ByteSpan file, std::string_view name, const ImportOptions& options = {},
                                     const PlanOptions& plan = {});

// The same from a file; the code is named after it, and every Error starts with its path. `shapes` are those of
// ImportOptions.
[[nodiscard]] Compiled compile_file(const std::filesystem::path& path,
                                    const std::map<std::string, Shape>& shapes = {}, const PlanOptions& plan = {});

// The graph with its plan; some of its layers twice where the options allow that.
[[nodiscard]] Compiled planned(Graph graph, const PlanOptions& options);

// The same graph with a plan of its own, for another core say.
[[nodiscard]] Compiled planned_for(const Compiled& model, const PlanOptions& plan);

// Size asks for the least arena, tensors in row strips where that helps. The others keep tensors whole, unless
// that takes more than `ram_bytes`. Layers are computed twice where nothing else keeps `ram_bytes`.
[[nodiscard]] PlanOptions plan_options(Mode mode, const Core& core = {}, std::optional<int64_t> ram_bytes = {},
                                       int cores = 1);

// The passes, in their order.
[[nodiscard]] Graph optimise(Graph graph);

[[nodiscard]] int64_t macs_of(const Graph& graph, const Node& node);
[[nodiscard]] int64_t total_macs(const Graph& graph);

// What the device offers; absent: no limit.
struct Limits {
  std::optional<int64_t> ram_bytes, flash_bytes;
};

// Throws Error that says by how much the model exceeds a limit and which layers take the space. Only what is
// certain without a compiler is counted: the arena against RAM, weights and tables against flash.
void check_fits(const Compiled& model, const Limits& limits);

}  // namespace mote
