// SPDX-License-Identifier: Apache-2.0
// The cores meet before each split step, and behind it where the next one is not split: core 0 runs that alone.
#include "codegen/cores.hpp"

#include <set>

#include "codegen/codegen.hpp"
#include "codegen/step_functions.hpp"
#include "codegen/strips.hpp"

namespace mote {

namespace {

constexpr const char* wait_text = "  MOTE_WAIT(barrier->arrived, core);\n";

std::string indented(const std::string& text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    result += "  " + text.substr(at, end - at);
    at = end;
  }
  return result;
}

}  // namespace

std::string run_part_function(const Graph& graph, const Plan& plan) {
  std::string text =
      entry_head(graph, plan, "run_part", fmt::format(", int core, {}_barrier* barrier", graph.name));
  text += "  (void)core;\n  (void)barrier;\n";  // perhaps nothing is split
  std::set<size_t> used;
  std::string alone;
  bool parallel = false;
  const auto flush = [&] {
    if (!alone.empty()) text += "  if (core == 0) {\n" + indented(alone) + "  }\n";
    alone.clear();
  };
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const std::vector<size_t> arenas = arenas_used(plan, plan.steps[i]);
    used.insert(arenas.begin(), arenas.end());
    const StripPlace strips = find_strips(plan, i);
    const bool both = strips.segment != nullptr && strips.segment->parallel;
    const bool moves = both && !moves_before(plan, i).empty();
    if (parallel && (!both || moves)) text += wait_text;
    if (both) {
      alone += moves_before(plan, i);
      flush();
      text += wait_text;
      text += fmt::format("  {}({}, core);\n  MOTE_AFTER_STEP({});\n", step_symbol(graph, i),
                          arena_list(arenas, ""), i);
    } else {
      alone += one_core_calls(graph, plan, i);
    }
    parallel = both;
  }
  if (parallel) text += wait_text;
  flush();
  return text + unused_arenas(plan, used) + "}\n\n";
}

std::string run_part_declaration(const Graph& graph, const std::string& parameters) {
  return fmt::format(
      "/* Two cores: both call {0}_run_part with the same arena and barrier, one with core 0, one with core 1. "
      "Fill\n"
      "   the inputs before core 0 calls; the outputs are there when core 0 returns. The barrier is all zero "
      "before\n"
      "   the first run and then left alone. {0}_run does the same on one core. */\n"
      "typedef struct {{\n  uint32_t arrived[2];\n}} {0}_barrier;\n"
      "void {0}_run_part({1}, int core, {0}_barrier* barrier);\n",
      graph.name, parameters);
}

}  // namespace mote
