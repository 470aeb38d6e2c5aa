// SPDX-License-Identifier: Apache-2.0
#include "codegen/step_functions.hpp"

#include <map>

#include "codegen/header.hpp"
#include "codegen/instances.hpp"
#include "codegen/strips.hpp"

namespace mote {

namespace {

std::string parameters_text(const Call& call, bool constant) {
  return fmt::format("  {}nn::{} parameters = {{{}}};\n", constant ? "static constexpr " : "", call.params,
                     parameter_values(call));
}

// Parameters that a strip may change, in memory. A compiler would call memcpy for them, which is long.
std::string copied_parameters(const Call& call) {
  return fmt::format(
      "  alignas(4) static constexpr nn::{0} constant = {{{1}}};\n  alignas(4) nn::{0} parameters;\n"
      "  nn::move_rows(reinterpret_cast<uint8_t*>(&parameters), reinterpret_cast<const uint8_t*>(&constant), "
      "sizeof constant);\n",
      call.params, parameter_values(call));
}

std::string constant_pointer(const Step& step, const Argument& argument, const std::vector<std::string>& symbols) {
  const std::string& symbol = symbols.at(argument.index);
  if (symbol.empty()) return "nullptr";
  if (c_type(step.call.constants[argument.index].dtype) == argument.c_type) return symbol;
  return fmt::format("reinterpret_cast<const {}*>({})", argument.c_type, symbol);
}

const Buffer& place_of(const Plan& plan, const Step& step, const Argument& argument) {
  const size_t buffer = buffer_of(step, argument);
  require(buffer != no_buffer, "internal: an argument of {} has no buffer", step.call.kernel);
  return plan.buffers[buffer];
}

// The structure that tells a shared instance which layer it computes.
std::string layer_type(const Call& call) { return "Layer_" + shared_symbol(call.kernel).substr(7); }

// Which pointers lead to constants: weights are one or come from the arena.
std::vector<bool> constant_arguments(const Call& call) {
  std::vector<bool> constant;
  for (const Argument& argument : call.arguments) constant.push_back(argument.kind == Argument::Kind::constant);
  return constant;
}

bool in_strips(const Plan& plan, size_t index) { return find_strips(plan, index).segment != nullptr; }

}  // namespace

size_t buffer_of(const Step& step, const Argument& argument) {
  switch (argument.kind) {
    case Argument::Kind::input:
    case Argument::Kind::state: return step.in.at(argument.index);
    case Argument::Kind::output: return step.out.at(argument.index);
    case Argument::Kind::scratch: return step.scratch;
    case Argument::Kind::constant: break;
  }
  fail("internal: a constant has no place in the arena");
}

std::string pointer_type(const Argument& argument) {
  const bool read_only = argument.kind == Argument::Kind::input || argument.kind == Argument::Kind::constant;
  return fmt::format("{}{}*", read_only ? "const " : "", argument.c_type);
}

std::string parameter_values(const Call& call) {
  std::string text;
  size_t column = 1000;
  for (const Field& field : call.fields) {
    const std::string item = fmt::format("/*{}*/ {},", field.name, field.text);
    if (column + item.size() + 1 > 110) {
      text += "\n     ";
      column = 5;
    }
    text += " " + item;
    column += item.size() + 1;
  }
  return text;
}

std::vector<size_t> arenas_used(const Plan& plan, const Step& step) {
  if (arenas_of(plan).size() == 1) return {0};
  std::set<size_t> used;
  for (const Argument& argument : step.call.arguments) {
    if (argument.kind != Argument::Kind::constant) used.insert(place_of(plan, step, argument).arena);
  }
  return {used.begin(), used.end()};
}

std::string arena_list(const std::vector<size_t>& arenas, std::string_view type) {
  std::string text;
  for (const size_t arena : arenas)
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", type, arena_name(arena));
  return text;
}

StepFunctions::StepFunctions(const Graph& graph, const Plan& plan, Mode mode)
    : graph_(graph),
      plan_(plan),
      own_(specialised_steps(graph, plan, mode)),
      cold_(cold_steps(graph, plan, mode)),
      shared_(shared_kernels(plan, own_)),
      instances_(equal_instances(plan)),
      users_(plan.steps.size(), 0),
      constants_(graph.name, plan),
      table_(graph, plan, mode) {
  std::map<std::string, std::vector<bool>> constants;
  for (size_t i = 0; i < own_.size(); ++i) {
    users_[instances_[i]] += own_[i] ? 1 : 0;
    if (!calls_shared(i)) continue;
    const Call& call = plan.steps[i].call;
    // A structure holds places in one arena that do not change from strip to strip, and the same for every layer.
    const bool alike =
        constants.try_emplace(call.kernel, constant_arguments(call)).first->second == constant_arguments(call);
    if (arenas_of(plan).size() > 1 || in_strips(plan, i) || !alike) by_pointer_.insert(call.kernel);
  }
}

bool StepFunctions::calls_shared(size_t index) const {
  return !own_[index] && !table_.holds(index) && shared_.count(plan_.steps[index].call.kernel) != 0;
}

bool StepFunctions::calls_copy(size_t index) const { return own_[index] && users_[instances_[index]] > 1; }

std::string_view StepFunctions::cold(size_t index) const { return cold_[index] ? "MOTE_COLD " : ""; }

std::string StepFunctions::shared() const {
  std::string text = table_.text(constants_);
  std::set<std::string> printed;
  for (size_t i = 0; i < plan_.steps.size(); ++i) {
    const std::string& kernel = plan_.steps[i].call.kernel;
    if (calls_shared(i) && printed.insert(kernel).second)
      text += by_pointer_.count(kernel) != 0 ? shared_kernel(i) : shared_layers(i);
    if (calls_copy(i) && instances_[i] == i) text += shared_copy(i);
  }
  return text;
}

std::string StepFunctions::shared_function(size_t index) const {
  if (table_.holds(index) || calls_shared(index)) return shared_symbol(plan_.steps[index].call.kernel);
  return calls_copy(index) ? copy_symbol(instances_[index]) : "";
}

std::vector<std::string> shared_functions(const Graph& graph, const Plan& plan, Mode mode) {
  const StepFunctions functions(graph, plan, mode);
  std::vector<std::string> symbols;
  for (size_t i = 0; i < plan.steps.size(); ++i) symbols.push_back(functions.shared_function(i));
  return symbols;
}

std::string StepFunctions::of_step(size_t index) const {
  if (table_.holds(index)) return "";
  if (in_strips(plan_, index)) return strip_function(index);
  const Step& step = plan_.steps[index];
  std::string text = fmt::format("// {}\nMOTE_STEP {}void {}({}) {{\n  MOTE_HAS_EFFECTS;\n",
                                 comment_text(describe_step(graph_, step)), cold(index),
                                 step_symbol(graph_, index), arena_list(arenas_used(plan_, step), "uint8_t* "));
  if (calls_shared(index) && by_pointer_.count(step.call.kernel) == 0) return text + shared_call(index) + "}\n\n";
  if (calls_copy(index)) {
    const std::string actual = arguments(index);
    return text + fmt::format("  {}({});\n}}\n\n", copy_symbol(instances_[index]), actual.substr(1));
  }
  const std::string callee = calls_shared(index) ? shared_symbol(step.call.kernel) : "nn::" + step.call.kernel;
  return text + parameters_text(step.call, true) +
         fmt::format("  {}(parameters{});\n}}\n\n", callee, arguments(index));
}

// The step of one strip; some of its parameters and places depend on the strip.
std::string StepFunctions::strip_function(size_t index) const {
  const Step& step = plan_.steps[index];
  const StripPlace strips = find_strips(plan_, index);
  const bool pushed = streams_input(plan_) && index == 0;
  std::string text =
      fmt::format("// {}\nMOTE_STEP {}void {}({}, int32_t strip{}) {{\n  MOTE_HAS_EFFECTS;\n",
                  comment_text(describe_step(graph_, step)), cold(index), step_symbol(graph_, index),
                  arena_list(arenas_used(plan_, step), "uint8_t* "), pushed ? ", const void* row" : "");
  Step read = step;
  if (pushed) read.in[0] = no_buffer;  // the row at hand, whichever it is
  text += strip_beginning(graph_, strips, fmt::format("arena + {}", plan_.buffers[step.out.at(0)].offset), read);
  if (calls_copy(index)) {
    return text + fmt::format("  {}({});\n}}\n\n", copy_symbol(instances_[index]), arguments(index).substr(1));
  }
  const bool constant = strips.step().fields.empty();
  text += calls_shared(index) && !constant ? copied_parameters(step.call) : parameters_text(step.call, constant);
  text += strip_fields(strips, step.call);
  const std::string callee = calls_shared(index) ? shared_symbol(step.call.kernel) : "nn::" + step.call.kernel;
  return text + fmt::format("  {}(parameters{});\n}}\n\n", callee, arguments(index));
}

std::string StepFunctions::arena_pointer(size_t index, const Argument& argument) const {
  if (streams_input(plan_) && index == 0 && argument.kind == Argument::Kind::input)
    return fmt::format("static_cast<{}>(row)", pointer_type(argument));
  const Buffer& buffer = place_of(plan_, plan_.steps[index], argument);
  return fmt::format("reinterpret_cast<{}>({} + {}{})", pointer_type(argument), arena_name(buffer.arena),
                     buffer.offset, strip_offset(graph_, find_strips(plan_, index), argument));
}

// The pointers, a comma before each.
std::string StepFunctions::arguments(size_t index) const {
  const Step& step = plan_.steps[index];
  std::string text;
  for (const Argument& argument : step.call.arguments) {
    text += ",\n      " + (argument.kind == Argument::Kind::constant
                               ? constant_pointer(step, argument, constants_.symbols(index))
                               : arena_pointer(index, argument));
  }
  return text;
}

std::string StepFunctions::copy_symbol(size_t index) const { return step_symbol(graph_, index) + "_copy"; }

// An own copy that serves all steps with the same parameters.
std::string StepFunctions::shared_copy(size_t index) const {
  const Call& call = plan_.steps[index].call;
  std::string formal, actual;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    formal += fmt::format("{}{} a{}", i == 0 ? "" : ", ", pointer_type(call.arguments[i]), i);
    actual += fmt::format(", a{}", i);
  }
  return fmt::format("MOTE_STEP {}void {}({}) {{\n  MOTE_HAS_EFFECTS;\n{}  nn::{}(parameters{});\n}}\n\n",
                     cold(index), copy_symbol(index), formal, parameters_text(call, true), call.kernel, actual);
}

// One instance of a kernel for several steps, which pass every pointer.
std::string StepFunctions::shared_kernel(size_t index) const {
  const Call& call = plan_.steps[index].call;
  std::string formal = fmt::format("const nn::{}& p", call.params), actual = "p";
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    formal += fmt::format(", {} a{}", pointer_type(call.arguments[i]), i);
    actual += fmt::format(", a{}", i);
  }
  return fmt::format("MOTE_STEP {}void {}({}) {{\n  MOTE_HAS_EFFECTS;\n  nn::{}({});\n}}\n\n", cold(index),
                     shared_symbol(call.kernel), formal, call.kernel, actual);
}

// One instance of a kernel for several steps, and what it knows of each: parameters, constants, places in the
// arena. One address to pass, instead of one for each pointer, makes the steps small.
std::string StepFunctions::shared_layers(size_t index) const {
  const Call& call = plan_.steps[index].call;
  const std::string offset = plan_.arena_bytes <= UINT16_MAX ? "uint16_t" : "uint32_t";
  std::string members, actual;
  for (const bool in_arena : {false, true}) {
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      const Argument& argument = call.arguments[i];
      if ((argument.kind != Argument::Kind::constant) != in_arena) continue;
      members += fmt::format("  {} a{};\n", in_arena ? offset : pointer_type(argument), i);
    }
  }
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    actual += argument.kind == Argument::Kind::constant
                  ? fmt::format(", layer.a{}", i)
                  : fmt::format(", reinterpret_cast<{}>(arena + layer.a{})", pointer_type(argument), i);
  }
  return fmt::format(
      "struct {0} {{\n  nn::{1} p;\n{2}}};\n\nMOTE_STEP {3}void {4}(uint8_t* arena, const {0}& layer) "
      "{{\n  MOTE_HAS_EFFECTS;\n  nn::{5}(layer.p{6});\n}}\n\n",
      layer_type(call), call.params, members, cold(index), shared_symbol(call.kernel), call.kernel, actual);
}

std::string StepFunctions::shared_call(size_t index) const {
  const Step& step = plan_.steps[index];
  std::string values;
  for (const bool in_arena : {false, true}) {
    for (const Argument& argument : step.call.arguments) {
      if ((argument.kind != Argument::Kind::constant) != in_arena) continue;
      values += ",\n      " + (in_arena ? std::to_string(place_of(plan_, step, argument).offset)
                                        : constant_pointer(step, argument, constants_.symbols(index)));
    }
  }
  return fmt::format("  static const {} layer = {{{{{}}}{}}};\n  {}(arena, layer);\n", layer_type(step.call),
                     parameter_values(step.call), values, shared_symbol(step.call.kernel));
}

}  // namespace mote
