// SPDX-License-Identifier: Apache-2.0
// Resource variables of a file: kept from run to run, begun anew by reset, and what is said when they make no
// sense.
#include <gtest/gtest.h>

#include "compile/compile.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/tflite_writer.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

namespace schema = tflite::schema;
using schema::BuiltinOperator;
using test::TfliteWriter;

const TensorType numbers{DType::i32, {3}, {}};

int handle(TfliteWriter& file, const std::string& name) {
  const int tensor = file.tensor(name, {DType::i32, {}, {}});
  file.tensor_at(tensor).type = schema::TensorType::RESOURCE;
  schema::VarHandleOptionsT options;
  options.shared_name = name;
  file.add(BuiltinOperator::VAR_HANDLE, {}, {tensor}, options);
  return tensor;
}

// sum += x, in a variable; the output is the sum before. Two handles name the one variable.
TfliteWriter accumulator() {
  TfliteWriter file;
  const int x = file.tensor("x", numbers), before = file.tensor("before", numbers),
            after = file.tensor("after", numbers);
  const int first = handle(file, "sum"), second = handle(file, "sum");
  file.add(BuiltinOperator::READ_VARIABLE, {first}, {before}, schema::ReadVariableOptionsT{});
  file.add(BuiltinOperator::ADD, {before, x}, {after}, schema::AddOptionsT{});
  file.add(BuiltinOperator::ASSIGN_VARIABLE, {second, after}, {}, schema::AssignVariableOptionsT{});
  file.finish({x}, {before});
  return file;
}

// A second subgraph that assigns constants, called once.
void begin_with(TfliteWriter& file, const std::vector<int32_t>& content) {
  TfliteWriter init;
  const int value = init.constant("value", {DType::i32, {std::ssize(content)}, {}}, content);
  init.add(BuiltinOperator::ASSIGN_VARIABLE, {handle(init, "sum"), value}, {}, schema::AssignVariableOptionsT{});
  init.finish({}, {});
  schema::ModelT& model = file.model();
  const auto codes = static_cast<uint32_t>(model.operator_codes.size());
  const auto buffers = static_cast<uint32_t>(model.buffers.size());
  for (auto& tensor : init.graph().tensors) tensor->buffer += tensor->buffer == 0 ? 0 : buffers;
  for (auto& one : init.graph().operators) one->opcode_index += codes;
  for (auto& code : init.model().operator_codes) model.operator_codes.push_back(std::move(code));
  for (auto& buffer : init.model().buffers) model.buffers.push_back(std::move(buffer));
  model.subgraphs.push_back(std::move(init.model().subgraphs[0]));
  schema::CallOnceOptionsT options;
  options.init_subgraph_index = 1;
  file.add(BuiltinOperator::CALL_ONCE, {}, {}, options);
}

std::string import_error(const TfliteWriter& file) {
  try {
    (void)compile_model(file.bytes(), "model");
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

std::vector<int32_t> run(Simulator& simulator, std::vector<int32_t> x) {
  return to_values<int32_t>(simulator.run({to_bytes(x)}, {}).at(0));
}

}  // namespace

TEST(Variables, KeepWhatWasAssigned) {
  const Compiled model = compile_model(accumulator().bytes(), "sum");
  EXPECT_EQ(dump(model.graph),
            "%0 = input 'x' i32[3]\n"
            "%2 = read_variable(state %1 i32[3]) i32[3]\n"
            "%3 = add(%2, %0) i32[3]\n"
            "assign_variable(state %1 i32[3], %3)\n"
            "output %2\n");
  Simulator simulator(model.graph, model.plan);
  EXPECT_EQ(run(simulator, {1, 2, 3}), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(run(simulator, {10, 20, 30}), (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(run(simulator, {0, 0, 0}), (std::vector<int32_t>{11, 22, 33}));
  simulator.reset();
  EXPECT_EQ(run(simulator, {5, 5, 5}), (std::vector<int32_t>{0, 0, 0}));
}

TEST(Variables, BeginAsCallOnceSaysOnTheDeviceToo) {
  TfliteWriter file = accumulator();
  begin_with(file, {7, -8, 900000});
  const Compiled model = compile_model(file.bytes(), "sum");
  const std::vector<std::vector<Bytes>> inputs(3, {to_bytes(std::vector<int32_t>{1, 2, 3})});
  for (const char* const target : {"host", "cortex-m3"}) {
    const Measurement measured =
        measure(model, find_target(target), Mode::balanced, inputs, false, {false, true, false});
    EXPECT_EQ(to_values<int32_t>(measured.outputs[0][0]), (std::vector<int32_t>{7, -8, 900000})) << target;
    EXPECT_EQ(to_values<int32_t>(measured.outputs[1][0]), (std::vector<int32_t>{8, -6, 900003})) << target;
    EXPECT_EQ(to_values<int32_t>(measured.outputs[2][0]), (std::vector<int32_t>{7, -8, 900000})) << target;
  }
}

TEST(Variables, Errors) {
  TfliteWriter other_shape = accumulator();
  begin_with(other_shape, {1, 2});
  EXPECT_EQ(import_error(other_shape), "tensor 'sum': is a variable of i32 3, but begins with i32 2");

  TfliteWriter computed = accumulator();
  begin_with(computed, {1, 2, 3});
  schema::OperatorCodeT& code =
      *computed.model().operator_codes.at(computed.model().subgraphs[1]->operators.at(1)->opcode_index);
  code.builtin_code = BuiltinOperator::ADD;
  code.deprecated_builtin_code = 0;
  EXPECT_EQ(import_error(computed),
            "CALL_ONCE #5 (no output): computes the first content of variables with ADD; only constants are "
            "supported, export them folded");

  TfliteWriter no_such_graph = accumulator();
  schema::CallOnceOptionsT options;
  options.init_subgraph_index = 3;
  no_such_graph.add(BuiltinOperator::CALL_ONCE, {}, {}, options);
  EXPECT_EQ(import_error(no_such_graph), "CALL_ONCE #5 (no output): calls subgraph 3 of 1");

  TfliteWriter no_handle = accumulator();
  no_handle.graph().operators.at(2)->inputs = {0};
  EXPECT_EQ(import_error(no_handle),
            "READ_VARIABLE #2 (before): has an input 0 that no VAR_HANDLE gives, which is not supported");
}

TEST(Variables, OtherSubgraphsAreNoted) {
  TfliteWriter file = accumulator();
  file.model().subgraphs.push_back(std::make_unique<schema::SubGraphT>());
  EXPECT_EQ(compile_model(file.bytes(), "sum").graph.notes,
            std::vector<std::string>{"The file has 2 subgraphs; the first is compiled, with what it calls."});
}

}  // namespace mote
