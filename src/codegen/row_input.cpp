// SPDX-License-Identifier: Apache-2.0
// With each row one strip of the first segment runs; with the last row also those that take no new one, and the
// rest of the model.
#include "codegen/row_input.hpp"

#include "codegen/codegen.hpp"
#include "codegen/strips.hpp"

namespace mote {

namespace {

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

const TensorType& input_type(const Graph& graph) { return graph.tensors[graph.inputs.at(0)].type; }

std::string push_head(const Graph& graph) {
  return fmt::format("int {}_push_row(void* {}, const {}* row)", graph.name, "memory",
                     c_type(input_type(graph).dtype));
}

}  // namespace

std::string push_row_declaration(const Graph& graph) {
  const TensorType& type = input_type(graph);
  const int64_t rows = type.shape[1];
  return fmt::format(
      "#define {0}_ROW_COUNT {1}\n#define {0}_ROW_ELEMENTS {2}\n#define {0}_ROW_BYTES {3}\n\n"
      "/* Begins an image: before the first one, and to give one up. */\n"
      "void {4}_begin(void* arena);\n"
      "/* Takes the next row of input 0; it is not needed any more afterwards. Returns 1 with the last row of an "
      "image:\n"
      "   then the outputs are there, until the next row is pushed, which begins a new image. Else returns 0. */\n"
      "int {4}_push_row(void* arena, const {5}* row);\n",
      upper(graph.name), rows, elements(type.shape) / rows, byte_size(type) / rows, graph.name,
      c_type(type.dtype));
}

std::string push_row_functions(const Graph& graph, const Plan& plan) {
  const Segment& segment = plan.segments.at(0);
  const std::string count =
      fmt::format("*reinterpret_cast<int32_t*>(arena + {})", plan.buffers[plan.rows_pushed].offset);
  const std::string arena = "  uint8_t* const arena = static_cast<uint8_t*>(memory);\n";
  std::string text =
      fmt::format("extern \"C\" void {}_begin(void* memory) {{\n{}  {} = 0;\n}}\n\n", graph.name, arena, count);
  text += fmt::format("extern \"C\" {} {{\n{}  int32_t strip = {};\n  do {{\n", push_head(graph), arena, count);
  for (size_t i = segment.first; i <= segment.last; ++i) {
    text += fmt::format("    {}(arena, strip{});\n    MOTE_AFTER_STEP({});\n", step_symbol(graph, i),
                        i == 0 ? ", row" : "", i);
  }
  text += fmt::format("    ++strip;\n  }} while (strip >= {} && strip < {});\n", segment.steps[0].done.rows,
                      segment.strips);
  text += fmt::format("  if (strip < {}) {{\n    {} = strip;\n    return 0;\n  }}\n", segment.strips, count);
  for (size_t i = segment.last + 1; i < plan.steps.size(); ++i) text += one_core_calls(graph, plan, i);
  return text + fmt::format("  {} = 0;\n  return 1;\n}}\n\n", count);
}

}  // namespace mote
