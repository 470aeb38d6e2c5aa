// SPDX-License-Identifier: Apache-2.0
#include "codegen/header.hpp"

#include <cctype>

#include "base/error.hpp"
#include "codegen/codegen.hpp"
#include "codegen/cores.hpp"
#include "codegen/row_input.hpp"

namespace mote {

namespace {

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// "void* arena, void* arena2"
std::string arena_parameters(const Plan& plan) {
  std::string text;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i) text += (i == 0 ? "void* " : ", void* ") + arena_name(i);
  return text;
}

// The sizes of the arenas. The first carries the plain name: most models have no other.
std::string arena_macros(const Graph& graph, const Plan& plan) {
  const std::vector<Arena> arenas = arenas_of(plan);
  const std::string macro = upper(graph.name);
  if (arenas.size() == 1) {
    return "/* The model's only RAM besides the stack: one block, which the caller provides. */\n" +
           fmt::format("#define {}_ARENA_BYTES {}\n", macro, plan.arena_bytes);
  }
  std::string text = fmt::format(
      "/* The model's only RAM besides the stack: {} blocks, which the caller provides. The first belongs into "
      "the\n"
      "   fastest memory. */\n#define {}_ARENA_COUNT {}\n",
      arenas.size(), macro, arenas.size());
  for (size_t i = 0; i < arenas.size(); ++i) {
    const std::string memory = arenas[i].memory.empty() ? "" : "  /* " + comment_text(arenas[i].memory) + " */";
    text += fmt::format("#define {}_{}_BYTES {}{}\n", macro, upper(arena_name(i)), arenas[i].bytes, memory);
  }
  return text;
}

// Macros and the accessor of one input or output: `which` is "input0".
std::string access_text(const Graph& graph, const Plan& plan, TensorId id, size_t buffer,
                        const std::string& which) {
  const Tensor& tensor = graph.tensors[id];
  const std::string prefix = upper(graph.name + "_" + which);
  std::string text = fmt::format("/* {}: '{}', {} {}", which, comment_text(tensor.name), name(tensor.type.dtype),
                                 to_text(tensor.type.shape));
  const bool quantised = tensor.type.quant.scale.size() == 1;
  if (quantised) {
    text += fmt::format(", real = {:.9g} * (q - ({}))", tensor.type.quant.scale[0], tensor.type.quant.zero[0]);
  }
  text += " */\n";
  const bool pushed = streams_input(plan) && buffer == plan.inputs[0];
  if (!pushed) text += fmt::format("#define {}_OFFSET {}\n", prefix, plan.buffers[buffer].offset);
  text += fmt::format("#define {}_BYTES {}\n#define {}_ELEMENTS {}\n", prefix, byte_size(tensor.type), prefix,
                      elements(tensor.type.shape));
  if (quantised) {
    text += fmt::format("#define {}_SCALE {:#.9g}f\n#define {}_ZERO_POINT ({})\n", prefix,
                        tensor.type.quant.scale[0], prefix, tensor.type.quant.zero[0]);
  }
  if (pushed) return text + "\n";
  // The other arenas are parameters too: callers need not know which memory the plan chose.
  std::string unused;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i) {
    if (i != plan.buffers[buffer].arena) unused += fmt::format("(void){}; ", arena_name(i));
  }
  text += fmt::format("static inline {0}* {1}_{2}({4}) {{ {5}return ({0}*)((uint8_t*){6} + {3}_OFFSET); }}\n\n",
                      c_type(tensor.type.dtype), graph.name, which, prefix, arena_parameters(plan), unused,
                      arena_name(plan.buffers[buffer].arena));
  return text;
}

}  // namespace

std::string comment_text(std::string text) {
  for (char& c : text) {
    // Anything that is not plain text, ends a /* comment or continues a // comment.
    if (c < ' ' || c > '~' || c == '*' || c == '\\') c = '?';
  }
  return text;
}

std::string header_file(const Graph& graph, const Plan& plan) {
  const std::string macro = upper(graph.name);
  int64_t state_bytes = 0;
  for (const State& state : plan.states) state_bytes += plan.buffers[state.buffer].bytes;
  std::string text = fmt::format("/* Written by Mote {}. Do not edit. */\n#ifndef {}_H\n#define {}_H\n\n",
                                 MOTE_VERSION, macro, macro);
  text += "#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += arena_macros(graph, plan);
  text += fmt::format("#define {0}_ARENA_ALIGN 16\n#define {0}_STEP_COUNT {1}\n", macro, plan.steps.size());
  text += fmt::format("#define {}_STATE_BYTES {}  /* of the arena: kept from run to run */\n", macro, state_bytes);
  text += fmt::format("#define {0}_INPUT_COUNT {1}\n#define {0}_OUTPUT_COUNT {2}\n\n", macro, graph.inputs.size(),
                      graph.outputs.size());
  for (const std::string& note : graph.notes) text += fmt::format("/* Note: {}. */\n", comment_text(note));
  if (!graph.notes.empty()) text += "\n";
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    text += access_text(graph, plan, graph.inputs[i], plan.inputs[i], fmt::format("input{}", i));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    text += access_text(graph, plan, graph.outputs[i], plan.outputs[i], fmt::format("output{}", i));
  }
  if (state_bytes > 0) {
    text += fmt::format(
        "/* Sets the model's state to its initial values: call it before the first run, and to start a new "
        "sequence.\n"
        "   The arena must stay as it is from run to run; only the inputs are filled anew. */\n"
        "void {}_reset({});\n",
        graph.name, arena_parameters(plan));
  }
  if (streams_input(plan)) {
    text += push_row_declaration(graph);
    return text +
           fmt::format("const char* {0}_version(void);\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n", graph.name);
  }
  text += fmt::format(
      "/* Fill the inputs, run, read the outputs. The run reuses the inputs' memory: fill them anew before each "
      "run. */\n"
      "void {0}_run({1});\n",
      graph.name, arena_parameters(plan));
  if (plan.cores > 1) text += run_part_declaration(graph, arena_parameters(plan));
  text += fmt::format("const char* {0}_version(void);\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n", graph.name);
  return text;
}

}  // namespace mote
