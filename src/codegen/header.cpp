// SPDX-License-Identifier: Apache-2.0
#include "codegen/header.hpp"

#include <cctype>

#include "base/error.hpp"

namespace mote {

namespace {

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
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
  text += fmt::format("#define {}_OFFSET {}\n#define {}_BYTES {}\n#define {}_ELEMENTS {}\n", prefix,
                      plan.buffers[buffer].offset, prefix, byte_size(tensor.type), prefix,
                      elements(tensor.type.shape));
  if (quantised) {
    text += fmt::format("#define {}_SCALE {:#.9g}f\n#define {}_ZERO_POINT ({})\n", prefix,
                        tensor.type.quant.scale[0], prefix, tensor.type.quant.zero[0]);
  }
  text +=
      fmt::format("static inline {0}* {1}_{2}(void* arena) {{ return ({0}*)((uint8_t*)arena + {3}_OFFSET); }}\n\n",
                  c_type(tensor.type.dtype), graph.name, which, prefix);
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
  text += "/* The model's only RAM besides the stack: one block, which the caller provides. */\n";
  text += fmt::format("#define {0}_ARENA_BYTES {1}\n#define {0}_ARENA_ALIGN 16\n#define {0}_STEP_COUNT {2}\n",
                      macro, plan.arena_bytes, plan.steps.size());
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
        "void {}_reset(void* arena);\n",
        graph.name);
  }
  text += fmt::format(
      "/* Fill the inputs, run, read the outputs. The run reuses the inputs' memory: fill them anew before each "
      "run. */\n"
      "void {0}_run(void* arena);\nconst char* {0}_version(void);\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n",
      graph.name);
  return text;
}

}  // namespace mote
