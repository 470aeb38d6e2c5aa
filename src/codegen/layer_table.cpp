// SPDX-License-Identifier: Apache-2.0
#include "codegen/layer_table.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "codegen/header.hpp"
#include "codegen/step_functions.hpp"
#include "codegen/strips.hpp"

namespace mote {

namespace {

// About what RV32 takes, in bytes: the loop, and with strips; a layer's record and its step's function, whole and
// in strips (and whole, of a kernel with both); what a kernel with one user takes more when its parameters are not
// constants.
constexpr int64_t loop_bytes = 120, strip_loop_bytes = 740;
constexpr int64_t layer_bytes = 14, function_bytes = 28, pointer_function_bytes = 46, strip_layer_bytes = 45,
                  strip_function_bytes = 215;
constexpr int64_t alone_bytes = 150;
constexpr size_t most_records = 255;  // an index is a byte

bool in_arena(const Argument& argument) { return argument.kind != Argument::Kind::constant; }

// Which of the pointers into the arena is this one? nullopt: none, or more than one.
std::optional<size_t> pointer_of(const Call& call, Argument::Kind kind, size_t index) {
  std::optional<size_t> found;
  size_t pointer = 0;
  for (const Argument& argument : call.arguments) {
    if (argument.kind == kind && argument.index == index) {
      if (found) return std::nullopt;
      found = pointer;
    }
    pointer += in_arena(argument) ? 1 : 0;
  }
  return found;
}

bool fits(const nn::RowCount& count) {
  return count.step >= 0 && count.step <= UINT8_MAX && count.shift <= UINT8_MAX && count.rows <= UINT16_MAX &&
         count.start >= INT16_MIN && count.start <= INT16_MAX;
}

std::string count_text(const nn::RowCount& count) {
  return fmt::format("{{{}, {}, {}, {}}}", count.start, count.step, count.shift, count.rows);
}

// The inputs of a step that lie in the arena.
std::vector<size_t> arena_inputs(const Step& step) {
  std::vector<size_t> inputs;
  for (size_t i = 0; i < step.in.size(); ++i) {
    if (step.in[i] != no_buffer) inputs.push_back(i);
  }
  return inputs;
}

bool same(const nn::RowCount& a, const nn::RowCount& b) {
  return a.step == b.step && a.start == b.start && a.shift == b.shift && a.rows == b.rows;
}

std::string array_text(std::string_view type, std::string_view name, const std::vector<std::string>& items) {
  std::string text = fmt::format("  static constexpr {} {}[] = {{\n", type, name);
  for (const std::string& item : items) text += fmt::format("      {},\n", item);
  return text + "  };\n";
}

std::vector<bool> constant_arguments(const Call& call) {
  std::vector<bool> constant;
  for (const Argument& argument : call.arguments) constant.push_back(!in_arena(argument));
  return constant;
}

}  // namespace

LayerTable::LayerTable(const Graph& graph, const Plan& plan, Mode mode)
    : graph_(graph), plan_(plan), place_(plan.steps.size()) {
  if (mode != Mode::size || arenas_of(plan).size() > 1 || plan.cores > 1 || streams_input(plan)) return;
  choose();
  if (!steps_.empty() && !add_rows()) {
    place_.assign(plan.steps.size(), std::nullopt);
    steps_.clear();
  }
}

// Steps of kernels with several users, and all steps in strips.
void LayerTable::choose() {
  std::map<std::string, std::vector<size_t>> users;
  int64_t functions = 0, table = plan_.segments.empty() ? loop_bytes : strip_loop_bytes;
  for (size_t i = 0; i < plan_.steps.size(); ++i) users[plan_.steps[i].call.kernel].push_back(i);
  std::set<std::string> kernels, in_strips;  // those of which layers are alike; those of which some run in strips
  for (const Segment& segment : plan_.segments) {
    for (size_t i = segment.first; i <= segment.last; ++i) in_strips.insert(plan_.steps[i].call.kernel);
  }
  for (const auto& [kernel, steps] : users) {
    const bool alike = std::all_of(steps.begin(), steps.end(), [&](size_t i) {
      return constant_arguments(plan_.steps[i].call) == constant_arguments(plan_.steps[steps[0]].call);
    });
    if (alike) kernels.insert(kernel);
  }
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    const std::string& kernel = plan_.steps[i].call.kernel;
    const bool strips = find_strips(plan_, i).segment != nullptr;
    if (!strips && users[kernel].size() == 1) continue;
    if (kernels.count(kernel) == 0) {
      if (strips) return steps_.clear();
      continue;
    }
    steps_.push_back(i);
    functions += strips                         ? strip_function_bytes
                 : in_strips.count(kernel) != 0 ? pointer_function_bytes
                                                : function_bytes;
    table += strips ? strip_layer_bytes : layer_bytes;
    table += users[kernel].size() == 1 ? alone_bytes : 0;
  }
  if (table >= functions || steps_.size() > most_records) return steps_.clear();
  for (size_t layer = 0; layer < steps_.size(); ++layer) {
    place_[steps_[layer]] = layer;
    const std::string& kernel = plan_.steps[steps_[layer]].call.kernel;
    if (std::find(kernels_.begin(), kernels_.end(), kernel) != kernels_.end()) continue;
    kernels_.push_back(kernel);
    example_.push_back(steps_[layer]);
  }
}

bool LayerTable::add_rows() {
  size_t constants = 0;
  for (const size_t step : steps_) constants += plan_.steps[step].call.constants.size();
  if (constants > most_records) return false;
  for (const Segment& segment : plan_.segments) {
    for (size_t i = 0; i < segment.steps.size(); ++i) {
      most_inputs_ = std::max(most_inputs_, arena_inputs(plan_.steps[segment.first + i]).size());
    }
    for (const StripWindow& window : segment.windows)
      most_readers_ = std::max(most_readers_, window.readers.size());
  }
  for (const Segment& segment : plan_.segments) {
    for (size_t i = 0; i < segment.steps.size(); ++i) {
      const auto readers = readers_of(segment, i);
      const auto inputs = inputs_of(segment, i);
      const auto fields = fields_of(plan_.steps[segment.first + i], segment.steps[i]);
      if (!readers || !inputs || !fields) return false;
      const std::optional<std::string> text = rows_text(segment, i, *readers, *inputs, *fields);
      if (!text) return false;
      rows_.push_back(*text);
    }
  }
  return field_texts_.size() < most_records;
}

// What is left of a LayerRows.
std::optional<std::string> LayerTable::rows_text(const Segment& segment, size_t index, const std::string& readers,
                                                 const std::string& inputs, size_t fields) const {
  const Step& step = plan_.steps[segment.first + index];
  const StripStep& rows = segment.steps[index];
  const std::optional<size_t> output = pointer_of(step.call, Argument::Kind::output, 0);
  if (!output || !fits(rows.done) || rows.out.row_bytes > UINT16_MAX) return std::nullopt;
  return fmt::format("{{{}, {}, {}, {}, {}, sizeof(nn::{}), {{{}}}, {{{}}}}}", count_text(rows.done),
                     rows.out.row_bytes, *output, fields, rows.fields.size(), step.call.params, readers, inputs);
}

std::optional<std::string> LayerTable::inputs_of(const Segment& segment, size_t index) const {
  const Step& step = plan_.steps[segment.first + index];
  std::vector<std::string> texts;
  for (const size_t i : arena_inputs(step)) {
    const StripInput& input = segment.steps[index].in[i];
    const std::optional<size_t> pointer = pointer_of(step.call, Argument::Kind::input, i);
    nn::RowCount low = input.low;
    const int32_t reach = input.high.start - low.start;
    if (!pointer || !fits(low) || reach < INT16_MIN || reach > INT16_MAX) return std::nullopt;
    low.start = input.high.start;
    if (!same(low, input.high) || input.tensor.row_bytes > UINT16_MAX) return std::nullopt;
    size_t writer = index;  // none
    for (size_t k = 0; k < segment.steps.size() && input.tensor.window != no_window; ++k) {
      if (segment.steps[k].out.window == input.tensor.window) writer = k;
    }
    texts.push_back(fmt::format("{{{}, {}, {}, {}, {}}}", count_text(input.low), reach, input.tensor.row_bytes,
                                *pointer, static_cast<int64_t>(writer) - static_cast<int64_t>(index)));
  }
  texts.resize(most_inputs_, "{{0, 0, 0, 0}, 0, 0, 0, 0}");
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Its readers stand behind a window's writer.
std::optional<std::string> LayerTable::readers_of(const Segment& segment, size_t index) const {
  const size_t window = segment.steps[index].out.window;
  std::vector<std::string> texts;
  for (size_t r = 0; window != no_window && r < segment.windows[window].readers.size(); ++r) {
    const StripReader& reader = segment.windows[window].readers[r];
    std::optional<std::string> found;
    for (size_t k = index + 1; k < segment.steps.size(); ++k) {
      const std::vector<size_t> inputs = arena_inputs(plan_.steps[segment.first + k]);
      for (size_t i = 0; i < inputs.size(); ++i) {
        const StripInput& in = segment.steps[k].in[inputs[i]];
        if (in.tensor.window == window && same(in.low, reader.low) && same(segment.steps[k].done, reader.done))
          found = fmt::format("{{{}, {}}}", k - index, i);
      }
    }
    if (!found) return std::nullopt;
    texts.push_back(*found);
  }
  texts.resize(most_readers_, texts.empty() ? "{0, 0}" : texts[0]);
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::optional<size_t> LayerTable::fields_of(const Step& step, const StripStep& rows) {
  const std::vector<size_t> inputs = arena_inputs(step);
  std::vector<std::string> texts;
  for (const StripField& field : rows.fields) {
    size_t quantity = field.of == StripField::Of::first_row ? 0 : 1;
    if (field.of == StripField::Of::in_rows)
      quantity = 2 + static_cast<size_t>(std::find(inputs.begin(), inputs.end(), field.input) - inputs.begin());
    if (field.factor < INT8_MIN || field.factor > INT8_MAX) return std::nullopt;
    if (field.offset < INT16_MIN || field.offset > INT16_MAX) return std::nullopt;
    const std::string& name = step.call.fields[field.field].name;
    texts.push_back(fmt::format("{{__builtin_offsetof(nn::{0}, {1}), sizeof(nn::{0}::{1}), {2}, {3}, {4}}}",
                                step.call.params, name, quantity, field.factor, field.offset));
  }
  // Layers with the same fields share them.
  const auto found = std::search(field_texts_.begin(), field_texts_.end(), texts.begin(), texts.end());
  const auto place = static_cast<size_t>(found - field_texts_.begin());
  if (found == field_texts_.end()) field_texts_.insert(field_texts_.end(), texts.begin(), texts.end());
  return place;
}

size_t LayerTable::kind_of(size_t step) const {
  return static_cast<size_t>(std::find(kernels_.begin(), kernels_.end(), plan_.steps[step].call.kernel) -
                             kernels_.begin());
}

size_t LayerTable::most_pointers() const {
  size_t most = 0;
  for (const size_t step : example_) {
    const std::vector<Argument>& arguments = plan_.steps[step].call.arguments;
    most = std::max(most, static_cast<size_t>(std::count_if(arguments.begin(), arguments.end(), in_arena)));
  }
  return most;
}

std::string LayerTable::text(const ConstantPool& constants) const {
  if (steps_.empty()) return "";
  return parameters_text() + kernels_text() + "struct Layers {\n" + layers_text(constants) + loop_text();
}

namespace {

std::string parameter_key(const Call& call) {
  std::string key = call.params;
  for (const Field& field : call.fields) key += " " + field.text;
  return key;
}

}  // namespace

std::string LayerTable::parameters_text() const {
  std::string members, values;
  std::set<std::string> known;
  for (size_t layer = 0; layer < steps_.size(); ++layer) {
    const Call& call = plan_.steps[steps_[layer]].call;
    if (!known.insert(parameter_key(call)).second) continue;
    members += fmt::format("  nn::{} p{};\n", call.params, layer);
    values += fmt::format("    {{{}}},\n", parameter_values(call));
  }
  return fmt::format(
      "// Layers with equal parameters share them.\nstruct Parameters {{\n{}}};\nconst Parameters "
      "layer_parameters = {{\n{}}};\n\n",
      members, values);
}

std::string LayerTable::layers_text(const ConstantPool& constants) const {
  std::vector<std::string> layers, pointers;
  std::map<std::string, size_t> parameters;
  for (size_t layer = 0; layer < steps_.size(); ++layer) {
    const Step& step = plan_.steps[steps_[layer]];
    const size_t owner = parameters.try_emplace(parameter_key(step.call), layer).first->second;
    std::string at;
    const size_t first_constant = pointers.size();
    for (const Argument& argument : step.call.arguments) {
      if (in_arena(argument)) {
        const size_t buffer = buffer_of(step, argument);
        require(buffer != no_buffer, "internal: an argument of {} has no buffer", step.call.kernel);
        at += fmt::format("{}{}", at.empty() ? "" : ", ", plan_.buffers[buffer].offset);
      } else {
        const std::string& symbol = constants.symbols(steps_[layer]).at(argument.index);
        pointers.push_back(symbol.empty() ? "nullptr" : symbol);
      }
    }
    layers.push_back(fmt::format("// {}\n      {{{}, {}, __builtin_offsetof(Parameters, p{}), {{{}}}}}",
                                 comment_text(describe_step(graph_, step)), kind_of(steps_[layer]), first_constant,
                                 owner, at));
  }
  if (pointers.empty()) pointers.emplace_back("nullptr");
  const std::string offset = plan_.arena_bytes <= UINT16_MAX ? "uint16_t" : "uint32_t";
  std::string text = array_text(fmt::format("nn::Layer<{}, {}>", offset, most_pointers()), "layers", layers) +
                     array_text("const void*", "constants", pointers);
  if (rows_.empty()) return text;
  return text + array_text(fmt::format("nn::LayerRows<{}, {}>", most_inputs_, most_readers_), "rows", rows_) +
         array_text("nn::LayerField", "fields",
                    field_texts_.empty() ? std::vector<std::string>{"{0, 0, 0, 0, 0}"} : field_texts_);
}

// One instance a kernel.
std::string LayerTable::kernels_text() const {
  std::string text;
  for (size_t kind = 0; kind < kernels_.size(); ++kind) {
    const Call& call = plan_.steps[example_[kind]].call;
    std::string actual;
    size_t pointer = 0, constant = 0;
    for (const Argument& argument : call.arguments) {
      actual += in_arena(argument)
                    ? fmt::format(",\n      reinterpret_cast<{}>(pointers[{}])", pointer_type(argument), pointer++)
                    : fmt::format(",\n      static_cast<{}>(constants[{}])", pointer_type(argument), constant++);
    }
    text += fmt::format(
        "MOTE_STEP void {}(const uint8_t* parameters, uint8_t* const* pointers, const void* const* constants) "
        "{{\n  MOTE_HAS_EFFECTS;\n{}  nn::{}(*reinterpret_cast<const nn::{}*>(parameters){});\n}}\n\n",
        shared_symbol(call.kernel), constant == 0 ? "  (void)constants;\n" : "", call.kernel, call.params, actual);
  }
  return text;
}

std::string LayerTable::loop_text() const {
  std::vector<std::string> steps;
  for (const size_t step : steps_) steps.push_back(std::to_string(step));
  std::string text =
      fmt::format("  [[maybe_unused]] static constexpr uint16_t steps[] = {{{}}};\n", fmt::join(steps, ", "));
  std::set<std::string> types;
  for (const Segment& segment : plan_.segments) {
    for (size_t i = segment.first; i <= segment.last; ++i) types.insert(plan_.steps[i].call.params);
  }
  std::string members;
  for (const std::string& type : types) members += fmt::format(" nn::{} p{};", type, members.size());
  text += fmt::format(
      "  union Any {{ uint8_t byte;{} }};\n"
      "  static constexpr bool has_strips = {};\n"
      "  static constexpr int32_t most_pointers = {}, most_parameter_bytes = sizeof(Any);\n",
      members, !rows_.empty(), most_pointers());
  text +=
      "  static const uint8_t* parameters() { return reinterpret_cast<const uint8_t*>(&layer_parameters); }\n"
      "  static void after(int32_t layer) {\n    (void)layer;\n    MOTE_AFTER_STEP(steps[layer]);\n  }\n"
      "  static void call(uint8_t kernel, const uint8_t* parameters, uint8_t* const* pointers,\n"
      "                   const void* const* constants) {\n";
  for (size_t kind = 0; kind < kernels_.size(); ++kind) {
    const bool last = kind + 1 == kernels_.size();
    text += fmt::format("    {}{}(parameters, pointers, constants);\n",
                        last ? "" : fmt::format("if (kernel == {}) return ", kind), shared_symbol(kernels_[kind]));
  }
  if (kernels_.size() == 1) text += "    (void)kernel;\n";
  text += "  }\n};\n\n";
  const bool strips = !rows_.empty();
  return text + fmt::format(
                    "// Layers [layer, end){}\n"
                    "MOTE_STEP void run_layers(uint8_t* arena, int32_t layer, int32_t end{}) {{\n"
                    "  MOTE_HAS_EFFECTS;\n  nn::run_layers<Layers>(arena, layer, end, {});\n}}\n\n",
                    strips ? "; in strips: `rows` is the number of the first one's LayerRows." : ".",
                    strips ? ", int32_t strips, int32_t rows" : "", strips ? "strips, rows" : "1, 0");
}

std::string LayerTable::call(size_t first, size_t& next) const {
  const Segment* const segment = find_strips(plan_, first).segment;
  if (segment != nullptr) {
    next = segment->last + 1;
    size_t rows = 0;
    for (const Segment* other = plan_.segments.data(); other != segment; ++other) rows += other->steps.size();
    return fmt::format("  run_layers(arena, {}, {}, {}, {});\n", *place_[first], *place_[first] + next - first,
                       segment->strips, rows);
  }
  for (next = first + 1; next < plan_.steps.size() && holds(next); ++next) {
    if (find_strips(plan_, next).segment != nullptr || !moves_before(plan_, next).empty()) break;
  }
  return fmt::format("  run_layers(arena, {}, {}{});\n", *place_[first], *place_[first] + next - first,
                     rows_.empty() ? "" : ", 1, 0");
}

}  // namespace mote
