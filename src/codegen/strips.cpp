// SPDX-License-Identifier: Apache-2.0
#include "codegen/strips.hpp"

#include <algorithm>

#include "codegen/codegen.hpp"
#include "codegen/layer_table.hpp"
#include "codegen/step_functions.hpp"

namespace mote {

namespace {

std::string count_text(const nn::RowCount& count, const std::string& x) {
  return fmt::format("nn::RowCount{{{}, {}, {}, {}}}.at({})", count.step, count.start, count.shift, count.rows, x);
}

std::string done_symbol(const Graph& graph, size_t step) { return fmt::format("{}_done{}", graph.name, step); }

size_t segment_index(const Plan& plan, const Segment& segment) {
  return static_cast<size_t>(&segment - plan.segments.data());
}

// A window's tensor is the output of exactly one step; the function is named after it.
size_t writer_of(const Segment& segment, size_t window) {
  for (size_t i = 0; i < segment.steps.size(); ++i) {
    if (segment.steps[i].out.window == window) return segment.first + i;
  }
  fail("internal: nobody writes window {} of a segment", window);
}

std::string done_function(const Graph& graph, const Segment& segment, size_t index) {
  return fmt::format("int32_t {}(int32_t strip) {{ return {}; }}\n", done_symbol(graph, segment.first + index),
                     count_text(segment.steps[index].done, "strip"));
}

std::string first_symbol(const Graph& graph, const Segment& segment, size_t window) {
  return fmt::format("{}_first{}", graph.name, writer_of(segment, window));
}

std::string window_function(const Graph& graph, const Segment& segment, size_t index) {
  const StripWindow& window = segment.windows[index];
  std::string row = done_symbol(graph, writer_of(segment, index)) + "(strip - 1)";
  for (const StripReader& reader : window.readers)
    row = fmt::format("nn::fewer({}, {})", row, count_text(reader.low, count_text(reader.done, "strip - 1")));
  return fmt::format("int32_t {}(int32_t strip) {{ return {}; }}\n", first_symbol(graph, segment, index), row);
}

std::string tensor_offset(const Graph& graph, const StripPlace& place, const StripTensor& tensor,
                          const std::string& row) {
  const std::string first = tensor.window == no_window
                                ? ""
                                : fmt::format(" - {}(strip)", first_symbol(graph, *place.segment, tensor.window));
  return fmt::format(" + ({}{}) * {}", row, first, tensor.row_bytes);
}

}  // namespace

StripPlace find_strips(const Plan& plan, size_t step) {
  for (const Segment& segment : plan.segments) {
    if (segment.first <= step && step <= segment.last) return {&segment, step - segment.first};
  }
  return {};
}

std::string strip_functions(const Graph& graph, const Plan& plan, const LayerTable& table) {
  std::string text;
  if (!plan.moves.empty())
    text +=
        "__attribute__((noinline)) void move_bytes(uint8_t* to, const uint8_t* from, int32_t count) {\n  "
        "MOTE_HAS_EFFECTS;\n"
        "  nn::move_bytes(to, from, count);\n}\n\n";
  const auto slides = [&](const Segment& segment) {
    return !segment.windows.empty() && !table.holds(segment.first);
  };
  if (std::any_of(plan.segments.begin(), plan.segments.end(), slides))
    text +=
        "__attribute__((noinline)) void slide_rows(uint8_t* window, int32_t row_bytes, int32_t first, int32_t "
        "next,\n"
        "                                          int32_t end) {\n  MOTE_HAS_EFFECTS;\n"
        "  nn::slide_rows(window, row_bytes, first, next, end);\n}\n\n";
  for (const Segment& segment : plan.segments) {
    if (table.holds(segment.first)) continue;
    if (segment.parallel) {
      text += fmt::format("// Step {}, split: how many rows of its output are done by cores up to this one.\n{}\n",
                          segment.first, done_function(graph, segment, 0));
      continue;
    }
    text += fmt::format(
        "// Segment {}: steps {} to {} in {} strips. done: how many rows of its output a step has computed after "
        "a\n"
        "// strip; first: the row of a step's output that its window begins with in a strip.\n",
        segment_index(plan, segment), segment.first, segment.last, segment.strips);
    for (size_t i = 0; i < segment.steps.size(); ++i) {
      text += done_function(graph, segment, i);
    }
    for (size_t i = 0; i < segment.windows.size(); ++i) text += window_function(graph, segment, i);
    text += "\n";
  }
  return text;
}

std::string strip_beginning(const Graph& graph, const StripPlace& place, const std::string& out_text,
                            const Step& step) {
  const StripStep& rows = place.step();
  const std::string done = done_symbol(graph, place.segment->first + place.index);
  std::string text = fmt::format("  const int32_t begin = {0}(strip - 1), end = {0}(strip);\n", done);
  if (rows.out.window != no_window) {
    const std::string first = first_symbol(graph, *place.segment, rows.out.window);
    text += fmt::format("  slide_rows({}, {}, {}(strip - 1), {}(strip), begin);\n", out_text, rows.out.row_bytes,
                        first, first);
  }
  text += "  if (begin == end) return;\n";
  for (size_t i = 0; i < rows.in.size(); ++i) {
    if (step.in[i] == no_buffer) continue;
    text += fmt::format("  const int32_t low{} = {}", i, count_text(rows.in[i].low, "begin"));
    bool used = false;
    for (const StripField& field : rows.fields)
      used = used || (field.of == StripField::Of::in_rows && field.input == i);
    text += used ? fmt::format(", high{} = {};\n", i, count_text(rows.in[i].high, "end")) : ";\n";
  }
  return text;
}

std::string strip_fields(const StripPlace& place, const Call& call) {
  std::string text;
  for (const StripField& field : place.step().fields) {
    std::string quantity = "begin";
    if (field.of == StripField::Of::out_rows) quantity = "(end - begin)";
    if (field.of == StripField::Of::in_rows) quantity = fmt::format("(high{0} - low{0})", field.input);
    std::string value = quantity;
    if (field.factor != 1) value = fmt::format("{} * {}", quantity, field.factor);
    if (field.offset != 0) value = fmt::format("{} + {}", field.offset, value);
    const bool may_be_negative = field.offset < 0 || field.factor < 0;
    text += fmt::format("  parameters.{0} = static_cast<decltype(parameters.{0})>({1});\n",
                        call.fields[field.field].name,
                        may_be_negative ? fmt::format("nn::clamp({}, 0, INT32_MAX)", value) : value);
  }
  return text;
}

std::string strip_offset(const Graph& graph, const StripPlace& place, const Argument& argument) {
  if (place.segment == nullptr) return "";
  const StripStep& rows = place.step();
  switch (argument.kind) {
    case Argument::Kind::input:
      return tensor_offset(graph, place, rows.in.at(argument.index).tensor, fmt::format("low{}", argument.index));
    case Argument::Kind::output: return tensor_offset(graph, place, rows.out, "begin");
    case Argument::Kind::scratch:
      return place.segment->scratch_stride == 0 ? "" : fmt::format(" + strip * {}", place.segment->scratch_stride);
    case Argument::Kind::constant:
    case Argument::Kind::state: return "";
  }
  fail("internal: unknown argument kind");
}

std::vector<std::string> strip_headers(const Plan& plan) {
  std::vector<std::string> headers;
  if (!plan.segments.empty()) headers.emplace_back("nn/strip.hpp");
  if (!plan.moves.empty()) headers.emplace_back("nn/move_bytes.hpp");
  return headers;
}

std::string moves_before(const Plan& plan, size_t step) {
  std::string text;
  for (const Move& move : plan.moves) {
    if (move.step != step) continue;
    text += fmt::format("  move_bytes(arena + {}, arena + {}, {});\n", plan.buffers[move.to].offset,
                        plan.buffers[move.from].offset, plan.buffers[move.from].bytes);
  }
  return text;
}

std::string strip_loop(const Graph& graph, const Plan& plan, const Segment& segment) {
  std::string text = fmt::format("  for (int32_t strip = 0; strip < {}; ++strip) {{\n", segment.strips);
  for (size_t i = segment.first; i <= segment.last; ++i)
    text += fmt::format("    {}({}, strip);\n    MOTE_AFTER_STEP({});\n", step_symbol(graph, i),
                        arena_list(arenas_used(plan, plan.steps[i]), ""), i);
  return text + "  }\n";
}

std::string one_core_calls(const Graph& graph, const Plan& plan, size_t index) {
  const StripPlace strips = find_strips(plan, index);
  std::string text = moves_before(plan, index);
  if (strips.segment == nullptr) {
    const std::string arenas = arena_list(arenas_used(plan, plan.steps[index]), "");
    text += fmt::format("  {}({});\n  MOTE_AFTER_STEP({});\n", step_symbol(graph, index), arenas, index);
  } else if (strips.index == 0) {
    text += strip_loop(graph, plan, *strips.segment);
  }
  return text;
}

}  // namespace mote
