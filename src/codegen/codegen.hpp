// SPDX-License-Identifier: Apache-2.0
// Prints a planned model as C++: the only layer that contains C++ text.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.hpp"
#include "plan/plan.hpp"

namespace mote {

// size: one outlined instance of a kernel serves all its layers.  speed: a layer gets its own copy with constant
// parameters where that saves a four-hundredth of the model's instructions.  balanced: only those few that bring
// the model near speed mode's speed.
enum class Mode { size, balanced, speed };

[[nodiscard]] std::string_view name(Mode mode);
[[nodiscard]] Mode parse_mode(std::string_view text);  // throws Error listing the modes

struct GeneratedFile {
  std::string path;  // below the output folder: "person_detect.cpp", "nn/conv2d.hpp"
  std::string text;
};

// What stands in flash for a plan: data that belongs to the model, and tables that belong to its kernels.
struct FlashData {
  int64_t weight_bytes = 0, table_bytes = 0;
};

// NAME.h, NAME.cpp and the kernel headers they use. The text depends on nothing but the arguments.
[[nodiscard]] std::vector<GeneratedFile> generate(const Graph& graph, const Plan& plan, Mode mode);

// The head of a function NAME_run or the like; `more` are parameters behind the arenas, with a comma in front.
[[nodiscard]] std::string entry_head(const Graph& graph, const Plan& plan, std::string_view function,
                                     std::string_view more = "");
// Mentions the arenas in which a function has nothing to do.
[[nodiscard]] std::string unused_arenas(const Plan& plan, const std::set<size_t>& used);

[[nodiscard]] FlashData flash_data(const Plan& plan);

// The same by step. What several steps read stands once in flash and counts for the first of them.
[[nodiscard]] std::vector<FlashData> flash_data_by_step(const Plan& plan);

// Which steps get their own specialised copy of their kernel in this mode.
[[nodiscard]] std::vector<bool> specialised_steps(const Graph& graph, const Plan& plan, Mode mode);

// The kernels of which one outlined instance serves several steps, given who has its own copy.
[[nodiscard]] std::set<std::string> shared_kernels(const Plan& plan, const std::vector<bool>& own);

// The function's name of a kernel's shared instance; the kernel's own name may have template arguments.
[[nodiscard]] std::string shared_symbol(const std::string& kernel);

// For each step the function that it has in common with others, as generated code names it: the instance of its
// kernel, whether called or run from the table of layers, or one copy for equal parameters. Empty: there is none.
[[nodiscard]] std::vector<std::string> shared_functions(const Graph& graph, const Plan& plan, Mode mode);

// In generated code: "arena", and "arena2" and so on for those behind it.
[[nodiscard]] std::string arena_name(size_t index);

// What an application passes to NAME_run: "arena", or "arena, arena2" where the plan has two.
[[nodiscard]] std::string arena_arguments(const Plan& plan);

// "CONV_2D #3 (layer): 1x48x48x8 i8 -> 1x48x48x16 i8, 294912 MAC"
[[nodiscard]] std::string describe_step(const Graph& graph, const Step& step);

// The name of step `index` in generated code, for tools that look it up in a linked program.
[[nodiscard]] std::string step_symbol(const Graph& graph, size_t index);

}  // namespace mote
