// SPDX-License-Identifier: Apache-2.0
#include "codegen/codegen.hpp"

#include <algorithm>

#include "codegen/constants.hpp"
#include "codegen/cores.hpp"
#include "codegen/header.hpp"
#include "codegen/kernel_headers.hpp"
#include "codegen/row_input.hpp"
#include "codegen/step_functions.hpp"
#include "codegen/strips.hpp"

namespace mote {

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::size: return "size";
    case Mode::balanced: return "balanced";
    case Mode::speed: return "speed";
  }
  fail("unknown mode {}", static_cast<int>(mode));
}

Mode parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
    if (name(mode) == text) return mode;
  }
  fail("--optimize {}: unknown; choose size, balanced or speed", text);
}

std::string describe_step(const Graph& graph, const Step& step) {
  const Node& node = graph.nodes[step.node];
  const auto type_text = [&](TensorId id) {
    const TensorType& type = graph.tensors[id].type;
    return fmt::format("{} {}", to_text(type.shape), name(type.dtype));
  };
  const int64_t macs = node.op->work(inputs_of(graph, node), output_types(graph, node)).macs;
  return fmt::format("{}: {} -> {}{}", node.origin, node.in.empty() ? "" : type_text(node.in[0]),
                     node.out.empty() ? "" : type_text(node.out[0]),
                     macs > 0 ? fmt::format(", {} MAC", macs) : "");
}

std::string step_symbol(const Graph& graph, size_t index) { return fmt::format("{}_step{}", graph.name, index); }

std::string shared_symbol(const std::string& kernel) {
  std::string symbol = "shared_" + kernel;
  for (char& c : symbol) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return symbol;
}

std::string arena_name(size_t index) { return index == 0 ? "arena" : fmt::format("arena{}", index + 1); }

std::string arena_arguments(const Plan& plan) {
  std::string text;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i) text += (i == 0 ? "" : ", ") + arena_name(i);
  return text;
}

namespace {

constexpr const char* common_header = "nn/fixed.hpp";

// What the file does, on one page: every step, and where in the arena (or in which) its output begins.
std::string step_table(const Graph& graph, const Plan& plan) {
  const bool several = arenas_of(plan).size() > 1;
  std::string text = fmt::format("// step  output  {}layer\n", several ? "in      " : "");
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    Buffer output{0, 1, {0, 0}, 0};
    if (!step.out.empty()) output = plan.buffers[step.out[0]];
    text += fmt::format("// {:4}  {:6}  {}{}\n", i, output.offset,
                        several ? fmt::format("{:8}", arena_name(output.arena)) : "",
                        comment_text(describe_step(graph, step)));
  }
  return text;
}

// The bytes as a list of numbers, in lines.
std::string byte_list(ByteSpan bytes) {
  constexpr size_t in_line = 24;
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}{},", i % in_line == 0 ? "\n      " : "",
                   std::to_integer<int>(bytes[i]));
  }
  return text;
}

}  // namespace

std::string entry_head(const Graph& graph, const Plan& plan, std::string_view function, std::string_view more) {
  std::string parameters, locals;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i) {
    const std::string memory = i == 0 ? "memory" : fmt::format("memory{}", i + 1);
    parameters += (i == 0 ? "void* " : ", void* ") + memory;
    locals += fmt::format("  uint8_t* const {} = static_cast<uint8_t*>({});\n", arena_name(i), memory);
  }
  return fmt::format("extern \"C\" void {}_{}({}{}) {{\n{}", graph.name, function, parameters, more, locals);
}

std::string unused_arenas(const Plan& plan, const std::set<size_t>& used) {
  std::string text;
  for (size_t i = 0; i < arenas_of(plan).size(); ++i) {
    if (used.count(i) == 0) text += fmt::format("  (void){};\n", arena_name(i));
  }
  return text;
}

namespace {

// Sets every state to its content before the first run.
std::string reset_function(const Graph& graph, const Plan& plan) {
  std::string text = entry_head(graph, plan, "reset");
  std::set<size_t> used;
  for (const State& state : plan.states) {
    const Bytes& content = graph.tensors[state.tensor].data;
    const Buffer& buffer = plan.buffers[state.buffer];
    const std::string place = fmt::format("{} + {}", arena_name(buffer.arena), buffer.offset);
    const std::string name = comment_text(graph.tensors[state.tensor].name);
    used.insert(buffer.arena);
    if (std::all_of(content.begin(), content.end(), [&](std::byte byte) { return byte == content[0]; })) {
      text += fmt::format("  memset({}, {}, {});  // {}\n", place, std::to_integer<int>(content.at(0)),
                          content.size(), name);
    } else {
      text += fmt::format("  static constexpr uint8_t content{}[] = {{  // {}{}}};\n", state.buffer, name,
                          byte_list(content));
      text += fmt::format("  memcpy({}, content{}, {});\n", place, state.buffer, content.size());
    }
  }
  return text + unused_arenas(plan, used) + "}\n\n";
}

// The calls of all steps on one core.
std::string run_function(const Graph& graph, const Plan& plan, const LayerTable& table) {
  std::string text = entry_head(graph, plan, "run");
  std::set<size_t> used;
  for (const Step& step : plan.steps) {
    const std::vector<size_t> arenas = arenas_used(plan, step);
    used.insert(arenas.begin(), arenas.end());
  }
  for (size_t i = 0, next; i < plan.steps.size(); i = next) {
    next = i + 1;
    text += table.holds(i) ? moves_before(plan, i) + table.call(i, next) : one_core_calls(graph, plan, i);
  }
  return text + unused_arenas(plan, used) + "}\n\n";
}

// Kernel headers besides those of the calls.
std::vector<std::string> plan_headers(const Plan& plan) {
  std::vector<std::string> headers = strip_headers(plan);
  if (plan.cores > 1) headers.emplace_back("nn/barrier.hpp");
  return headers;
}

std::string source_file(const Graph& graph, const Plan& plan, Mode mode) {
  const StepFunctions functions(graph, plan, mode);
  std::string text = fmt::format("// Written by Mote {} ({} mode). Do not edit.\n//\n{}\n#include \"{}.h\"\n\n",
                                 MOTE_VERSION, name(mode), step_table(graph, plan), graph.name);
  text += fmt::format("#ifndef MOTE_OPTIMIZE\n#define MOTE_OPTIMIZE {}\n#endif\n\n", static_cast<int>(mode));
  std::set<std::string> headers{common_header};
  for (const Step& step : plan.steps) headers.insert(step.call.header);
  for (const std::string& header : plan_headers(plan)) headers.insert(header);
  if (functions.table().used()) headers.insert(layer_table_header);
  for (const std::string& header : headers) text += fmt::format("#include \"{}\"\n", header);
  if (!plan.states.empty()) text += "\n#include <string.h>\n";
  text += "\n#ifndef MOTE_AFTER_STEP\n#define MOTE_AFTER_STEP(step)  // a profiler may define it\n#endif\n";
  if (plan.cores > 1)
    text += "#ifndef MOTE_WAIT\n#define MOTE_WAIT(barrier, core) nn::wait_for_other(barrier, core)\n#endif\n";
  text +=
      "#define MOTE_STEP __attribute__((noinline))\n#define MOTE_COLD __attribute__((cold))\n\nnamespace {\n\n";
  text += functions.constants().text() + strip_functions(graph, plan, functions.table()) + functions.shared();
  for (size_t i = 0; i < plan.steps.size(); ++i) text += functions.of_step(i);
  text += "}  // namespace\n\n";
  if (!plan.states.empty()) text += reset_function(graph, plan);
  text += streams_input(plan) ? push_row_functions(graph, plan) : run_function(graph, plan, functions.table());
  if (plan.cores > 1) text += run_part_function(graph, plan);
  return text + fmt::format("extern \"C\" const char* {}_version(void) {{ return \"Mote {}\"; }}\n", graph.name,
                            MOTE_VERSION);
}

}  // namespace

std::vector<GeneratedFile> generate(const Graph& graph, const Plan& plan, Mode mode) {
  std::vector<GeneratedFile> files;
  files.push_back({graph.name + ".h", header_file(graph, plan)});
  files.push_back({graph.name + ".cpp", source_file(graph, plan, mode)});
  std::set<std::string> done;
  add_kernel_header(common_header, done, files);
  for (const Step& step : plan.steps) add_kernel_header(step.call.header, done, files);
  for (const std::string& header : plan_headers(plan)) add_kernel_header(header, done, files);
  if (LayerTable(graph, plan, mode).used()) add_kernel_header(layer_table_header, done, files);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

FlashData flash_data(const Plan& plan) {
  FlashData flash;
  for (const FlashData& step : flash_data_by_step(plan)) {
    flash.weight_bytes += step.weight_bytes;
    flash.table_bytes += step.table_bytes;
  }
  return flash;
}

std::vector<FlashData> flash_data_by_step(const Plan& plan) { return ConstantPool("size", plan).flash_by_step(); }

}  // namespace mote
