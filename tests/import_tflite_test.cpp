// SPDX-License-Identifier: Apache-2.0
// Graphs made from .tflite files, and every message a person can get when that fails.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/files.hpp"
#include "base/identifier.hpp"
#include "compile/compile.hpp"
#include "formats/tflite_view.hpp"
#include "import/tflite.hpp"
#include "support/tflite_writer.hpp"

namespace mote {
namespace {

namespace schema = tflite::schema;
using schema::BuiltinOperator;
using test::TfliteWriter;

const TensorType row{DType::i8, {1, 4}, {{0.5F}, {-3}}};
const TensorType other_row{DType::i8, {1, 5}, {{0.5F}, {-3}}};

// The output has the type of input 0. Stands for any operator: the importer must not care which.
class Echo final : public Operator {
 public:
  std::string name() const override { return "echo"; }
  std::string parameters() const override { return ""; }
  Types infer(Inputs in, const Types&) const override {
    require(!in.empty() && in[0] != nullptr, "needs an input");
    return {in[0]->type};
  }
  Reals reference(Inputs, const Types&, const Reals& x) const override { return {x[0]}; }
  Call lower(Inputs, const Types&) const override { return {}; }
};

Made make_first(const tflite::OpView& view) {
  require(!view.inputs.empty(), "needs an input");
  return {std::make_shared<Echo>(), {0}};
}

Made make_all(const tflite::OpView& view) {
  Made made{std::make_shared<Echo>(), {}};
  for (size_t i = 0; i < view.inputs.size(); ++i) made.inputs.push_back(i);
  return made;
}

Made make_both(const tflite::OpView&) { return {std::make_shared<Echo>(), {0, 1}}; }

Made make_refusing(const tflite::OpView& view) {
  (void)view.required_options<schema::SoftmaxOptions>();
  fail("beta=2 is not supported; export with beta=1");
}

const OpDef relu{.name = "relu", .tflite = {{"RELU", make_first}, {"RESHAPE", make_first}}, .sample = nullptr};
const OpDef add{.name = "add", .tflite = {{"ADD", make_all}}, .sample = nullptr};
const OpDef softmax{.name = "softmax", .tflite = {{"SOFTMAX", make_refusing}}, .sample = nullptr};
const OpDef mul{.name = "mul", .tflite = {{"MUL", make_both}}, .sample = nullptr};
const OpDef* const known[] = {&add, &mul, &relu, &softmax};

Graph import(const TfliteWriter& file, std::string_view name = "net") {
  return import_tflite(file.bytes(), name, known);
}

std::string import_error(const TfliteWriter& file) {
  try {
    (void)import(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string file_error(const std::filesystem::path& path) {
  try {
    (void)compile_file(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::filesystem::path write_temporary(const std::string& name, ByteSpan bytes) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / name;
  write_file(path, bytes);
  return path;
}

TEST(ImportTflite, MakesAGraph) {
  TfliteWriter file;
  const int unused = file.constant("unused", row, std::vector<int8_t>{1, 2, 3, 4});
  const int first = file.tensor("first", row);
  const int middle = file.tensor("layer/Relu;layer/BiasAdd", row);
  const int offset = file.constant("offset", row, std::vector<int8_t>{5, 6, 7, 8});
  const int last = file.tensor("last", row);
  const int shape = file.constant("shape", {DType::i32, {2}, {}}, std::vector<int32_t>{1, 4});
  (void)unused;
  file.add(BuiltinOperator::RESHAPE, {first, shape}, {middle});
  file.add(BuiltinOperator::ADD, {middle, offset, -1}, {last});
  file.finish({first}, {last});
  const Graph graph = import(file, "my net");
  EXPECT_EQ(graph.name, "my_net");
  ASSERT_EQ(graph.tensors.size(), 4u);  // neither the unused constant nor the shape that became a parameter
  EXPECT_EQ(graph.tensors[graph.inputs.at(0)].name, "first");
  EXPECT_EQ(graph.tensors[graph.outputs.at(0)].name, "last");
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].origin, "RESHAPE #0 (layer/Relu)");
  EXPECT_EQ(graph.nodes[1].origin, "ADD #1 (last)");
  ASSERT_EQ(graph.nodes[1].in.size(), 3u);
  EXPECT_EQ(to_values<int8_t>(graph.tensors[graph.nodes[1].in[1]].data), (std::vector<int8_t>{5, 6, 7, 8}));
  EXPECT_EQ(graph.nodes[1].in[2], no_tensor);
  EXPECT_EQ(graph.nodes[0].out, std::vector<TensorId>{graph.nodes[1].in[0]});
}

// One operator from "in" to "out".
TfliteWriter one(BuiltinOperator code, const TensorType& output = row) {
  TfliteWriter file;
  const int input = file.tensor("in", row);
  const int result = file.tensor("out", output);
  file.add(code, {input}, {result});
  file.finish({input}, {result});
  return file;
}

TEST(ImportTflite, OneProblemIsOneLine) {
  TfliteWriter refused = one(BuiltinOperator::SOFTMAX);
  refused.graph().operators[0]->builtin_options.Set(schema::SoftmaxOptionsT{});
  EXPECT_EQ(import_error(refused), "SOFTMAX #0 (out): beta=2 is not supported; export with beta=1");
  EXPECT_EQ(import_error(one(BuiltinOperator::SOFTMAX)),
            "SOFTMAX #0 (out): carries no options; the file is incomplete, convert the model again");
  EXPECT_EQ(import_error(one(BuiltinOperator::MUL)), "MUL #0 (out): has 1 inputs; input 1 is missing");
  TfliteWriter mixed = one(BuiltinOperator::SOFTMAX);
  mixed.graph().operators[0]->builtin_options.Set(schema::ReshapeOptionsT{});
  EXPECT_EQ(import_error(mixed),
            "SOFTMAX #0 (out): carries options of type ReshapeOptions, which do not belong to this operator");
  EXPECT_EQ(import_error(one(BuiltinOperator::RELU, other_row)),
            "RELU #0 (out): computes i8 1x4 from its inputs, but the file states i8 1x5 for output 0");
  TensorType coarser = row;
  coarser.quant.scale = {0.25F};
  EXPECT_EQ(import_error(one(BuiltinOperator::RELU, coarser)),
            "RELU #0 (out): needs another quantisation of output 0 than the file states");
}

TEST(ImportTflite, AllProblemsAreListedAtOnce) {
  TfliteWriter file;
  const int first = file.tensor("first", row);
  const int half = file.tensor("half", row);
  file.tensor_at(half).type = schema::TensorType::FLOAT16;
  const int third = file.tensor("third", row);
  const int fourth = file.tensor("fourth", other_row);
  file.add(BuiltinOperator::RELU, {first}, {half});
  file.add(BuiltinOperator::TANH, {half}, {third});
  file.add(BuiltinOperator::RELU, {third}, {fourth});
  file.add_custom("MyOwn", {fourth}, {fourth});
  file.finish({first}, {fourth});
  EXPECT_EQ(import_error(file),
            "4 problems:\n"
            "  tensor 'half': has data type FLOAT16, which is not supported; use int8 or float32\n"
            "  TANH #1 (third): this operator is not supported\n"
            "  RELU #2 (fourth): computes i8 1x4 from its inputs, but the file states i8 1x5 for output 0\n"
            "  MyOwn #3 (fourth): this operator is not supported\n"
            "supported operators: ADD, MUL, RELU, RESHAPE, SOFTMAX");
}

TEST(ImportTflite, AStateBeginsAtZero) {
  TfliteWriter file = one(BuiltinOperator::ADD);
  const int state = file.tensor("state", {DType::i8, {1, 4}, {{0.5F}, {-3}, -1}});
  file.tensor_at(state).is_variable = true;
  file.graph().operators[0]->inputs.push_back(state);
  const Graph graph = import(file);
  const Tensor& tensor = graph.tensors.at(graph.nodes.at(0).in.back());
  EXPECT_TRUE(tensor.state);
  EXPECT_FALSE(tensor.constant());
  EXPECT_EQ(tensor.data, Bytes(4, std::byte{0xFD}));
  file.tensor_at(state).shape = {1 << 14, 1 << 13};
  EXPECT_EQ(import_error(file),
            "ADD #0 (out): has more than 67108864 bytes of state ('state'); no microcontroller holds as much");
}

TEST(ImportTflite, EmptyTensors) {
  TfliteWriter empty = one(BuiltinOperator::ADD);
  empty.graph().operators[0]->inputs.push_back(empty.tensor("nothing", {DType::i8, {0, 4}, {}}));
  EXPECT_EQ(import_error(empty), "tensor 'nothing': has no elements (shape 0x4)");
  TfliteWriter first = one(BuiltinOperator::RELU);  // its operator is never asked: the types do not fit either
  first.tensor_at(0).shape = {0, 4};
  EXPECT_EQ(import_error(first), "tensor 'in': has no elements (shape 0x4)");
}

TEST(ImportTflite, OrderOfOperators) {
  TfliteWriter unset = one(BuiltinOperator::ADD);
  unset.graph().operators[0]->inputs.push_back(unset.tensor("never", row));
  EXPECT_EQ(import_error(unset), "ADD #0 (out): reads 'never' before it is computed");
  TfliteWriter twice = one(BuiltinOperator::RELU);
  twice.add(BuiltinOperator::RELU, {0}, {1});
  EXPECT_EQ(import_error(twice), "RELU #1 (out): writes 'out', which is already defined");
  TfliteWriter lost = one(BuiltinOperator::RELU);
  lost.finish({0}, {lost.tensor("lost", row)});
  EXPECT_NE(import_error(lost), "");
}

TEST(ImportTflite, IntegersOfAnInput) {
  const Tensor four{"four", {DType::i32, {2}, {}}, to_bytes(std::vector<int32_t>{4, -5})};
  const Tensor wide{"wide", {DType::i64, {1}, {}}, to_bytes(std::vector<int64_t>{int64_t{1} << 40})};
  const Tensor bytes{"bytes", {DType::i8, {1}, {}}, to_bytes(std::vector<int8_t>{1})};
  const Tensor computed{"computed", {DType::i32, {2}, {}}, {}};
  const Tensor none{"none", {DType::i32, {0}, {}}, {}};
  tflite::OpView view;
  view.inputs = {&four, &wide, &bytes, &computed, &none, nullptr};
  EXPECT_EQ(view.integers(0, "axes"), (std::vector<int64_t>{4, -5}));
  EXPECT_EQ(view.integers(1, "axes"), std::vector<int64_t>{int64_t{1} << 40});
  EXPECT_TRUE(view.integers(4, "axes").empty());
  const auto error = [&](size_t input) -> std::string {
    try {
      (void)view.integers(input, "axes");
    } catch (const Error& problem) {
      return problem.what();
    }
    return "";
  };
  EXPECT_EQ(error(2), "has axes ('bytes') of data type i8; it must be i32 or i64");
  EXPECT_EQ(error(3),
            "computes its axes ('computed') at run time, which is not supported; export it as a constant");
  EXPECT_EQ(error(5), "has no axes (input 5)");
  EXPECT_EQ(error(6), "has no axes (input 6)");
}

TEST(ImportTflite, FilesNameThemselvesInErrors) {
  const std::string missing = testing::TempDir() + "mote_no_such_model.tflite";
  EXPECT_EQ(file_error(missing), missing + ": no such file");
  EXPECT_EQ(file_error(testing::TempDir()), testing::TempDir() + ": is a directory, not a file");
  const std::filesystem::path empty = write_temporary("mote_empty.tflite", {});
  EXPECT_EQ(file_error(empty), empty.string() + ": is empty; a .tflite model was expected");
  const std::string text = "def model(): pass\n";
  const std::filesystem::path script = write_temporary("mote_script.py", std::as_bytes(std::span(text)));
  EXPECT_EQ(file_error(script),
            script.string() + ": is not a .tflite model: the bytes 'TFL3' are missing at position 4");
  const Bytes bytes = one(BuiltinOperator::RELU).bytes();
  const std::filesystem::path cut = write_temporary("mote_cut.tflite", ByteSpan(bytes).first(64));
  EXPECT_EQ(file_error(cut), cut.string() +
                                 ": is damaged or cut short: parts of it lie outside its 64 bytes; "
                                 "fetch or convert it again");
}

TEST(ImportTflite, EveryTruncationAndBitFlipIsAGraphOrAnError) {
  const auto check = [](const Bytes& bytes) {
    try {
      verify(import_tflite(bytes, "flipped", known));
    } catch (const Error& error) {
      EXPECT_STRNE(error.what(), "");
    }
  };
  TfliteWriter file = one(BuiltinOperator::ADD);
  file.graph().operators[0]->inputs.push_back(file.constant("offset", row, std::vector<int8_t>{5, 6, 7, 8}));
  const Bytes bytes = file.bytes();
  for (size_t length = 0; length < bytes.size(); ++length) check(Bytes(bytes.data(), bytes.data() + length));
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    check(flipped);
  }
}

TEST(ImportTflite, DigitsModelHoldsWhatTheTrainerWrote) {
  const tflite::Model model =
      tflite::parse(read_file(std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits/digits.tflite"));
  std::vector<std::string> names;
  for (const tflite::FileOperator& op : model.operators) names.push_back(op.view.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D",
                                      "AVERAGE_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"}));
  EXPECT_EQ(model.tensors[model.inputs.at(0)].tensor.type,
            (TensorType{DType::i8, {1, 8, 8, 1}, {{0.0625F}, {-128}}}));
}

TEST(Identifier, IsValidAndFree) {
  EXPECT_EQ(to_identifier("person_detect"), "person_detect");
  EXPECT_EQ(to_identifier("2-conv net"), "model_2_conv_net");
  EXPECT_EQ(to_identifier("__a--b__"), "a_b");
  EXPECT_EQ(to_identifier("double"), "double_model");
  EXPECT_EQ(to_identifier("string"), "string_model");  // string.h
  EXPECT_EQ(to_identifier(""), "model");
  EXPECT_EQ(to_identifier("Zählwerk"), "Z_hlwerk");
}

}  // namespace
}  // namespace mote
