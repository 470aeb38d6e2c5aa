// SPDX-License-Identifier: Apache-2.0
// Every message a person can get about an .onnx file: it names the place and a way out.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "compile/compile.hpp"
#include "support/onnx_writer.hpp"

namespace mote {
namespace {

using test::OnnxWriter;

std::string error_of(const OnnxWriter& file, const ImportOptions& options = {}) {
  try {
    (void)compile_model(file.bytes(), "net", options);
  } catch (const Error& error) {
    const std::string text = error.what();
    return text.substr(0, text.find("\nsupported operators"));
  }
  return "";
}

OnnxWriter relu(int64_t opset = 17) {
  OnnxWriter file(opset);
  file.input("x", {1, 4});
  file.node("Relu", {"x"}, {"y"});
  file.output("y", {1, 4});
  return file;
}

TEST(OnnxErrors, UnsupportedOpset) {
  EXPECT_EQ(error_of(relu(9)),
            "uses opset 9 of the ONNX operators; Mote reads opsets 13 to 27. Export the model with "
            "opset_version=17, or convert it with onnx.version_converter");
  EXPECT_EQ(error_of(relu(13)), "");
  EXPECT_EQ(error_of(relu(27)), "");
}

TEST(OnnxErrors, SymbolicShape) {
  OnnxWriter file;
  file.symbolic_input("image", {"N", "3", "height", "width"});
  file.node("Relu", {"image"}, {"y"});
  file.output("y", {1, 3, 96, 96});
  EXPECT_EQ(error_of(file),
            "input 'image' has the shape Nx3xheightxwidth: 'height' and 'width' must be a number; give it with "
            "--shape image=1,3,height,width");
  EXPECT_EQ(error_of(file, {{{"image", {1, 3, 96, 96}}}, {}}), "");
  EXPECT_EQ(error_of(file, {{{"image", {1, 1, 96, 96}}}, {}}),
            "--shape gives 1x1x96x96 for input 'image', but the file states Nx3xheightxwidth");
  EXPECT_EQ(error_of(file, {{{"picture", {1, 3, 96, 96}}, {"image", {1, 3, 96, 96}}}, {}}),
            "--shape names 'picture', which is no input; the inputs are 'image'");
}

TEST(OnnxErrors, UnknownOperatorAndAttributeAreBothReported) {
  OnnxWriter file;
  file.input("x", {1, 4});
  OnnxWriter::set(file.node("Relu", {"x"}, {"r"}), "slope", 0.5F);
  file.node("Det", {"x"}, {"d"});
  file.node("Add", {"r", "d"}, {"y"});
  file.output("y", {1, 4});
  EXPECT_EQ(error_of(file),
            "2 problems:\n"
            "  Relu #0 (r): has attributes that Mote does not know for Relu: slope; remove them or export another "
            "opset\n"
            "  Det #1 (d): this operator is not supported");
}

TEST(OnnxErrors, WrongTypeOfAnAttribute) {
  OnnxWriter file;
  file.input("x", {1, 4});
  OnnxWriter::set(file.node("Softmax", {"x"}, {"y"}), "axis", 1.0F);
  file.output("y", {1, 4});
  EXPECT_EQ(error_of(file), "Softmax #0 (y): has a real as attribute axis, it must be an integer");
}

TEST(OnnxErrors, UnsupportedDataType) {
  OnnxWriter file = relu();
  file.model().mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(10);
  EXPECT_EQ(
      error_of(file),
      "input 'x' has data type float16, which is not supported; export the model in float32, or quantise it to "
      "int8");
}

TEST(OnnxErrors, AValueThatNothingComputes) {
  OnnxWriter file;
  file.input("x", {1, 4});
  file.node("Add", {"x", "ghost"}, {"y"});
  file.output("y", {1, 4});
  EXPECT_EQ(error_of(file), "Add #0 (y): reads 'ghost', which nothing before it computes; the file is damaged");
}

TEST(OnnxErrors, AStatedShapeThatIsNotTheComputedOne) {
  OnnxWriter file = relu();
  file.model()
      .mutable_graph()
      ->mutable_output(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(5);
  EXPECT_EQ(
      error_of(file),
      "output 'y': has the shape 1x4, but the file states 1x5; if --shape changed the model's size, export it "
      "for that size");
}

TEST(OnnxErrors, FunctionsSequencesAndSparseConstants) {
  OnnxWriter functions = relu();
  functions.model().add_functions("x");
  EXPECT_EQ(error_of(functions),
            "defines functions of its own, which is not supported; inline them with "
            "onnx.inliner.inline_local_functions");
  OnnxWriter sequence = relu();
  sequence.model().mutable_graph()->mutable_input(0)->mutable_type()->set_sequence_type("x");
  EXPECT_EQ(error_of(sequence), "input 'x' is no tensor (a sequence, map or optional), which is not supported");
}

// What people have in a file called .onnx.
TEST(OnnxErrors, FilesThatAreNoModel) {
  const auto error = [](std::string_view text) -> std::string {
    try {
      (void)import_model(std::as_bytes(std::span(text)), "net", {{}, "net.onnx"});
    } catch (const Error& problem) {
      return problem.what();
    }
    return "";
  };
  EXPECT_EQ(error(""), "is empty; an .onnx model was expected");
  EXPECT_EQ(error("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"),
            "is a pointer of Git LFS, not the model itself; fetch the model with git lfs pull");
  EXPECT_EQ(error("<!DOCTYPE html>\n<title>404</title>"),
            "holds text, no .onnx model; if it was fetched from the web, look what the server sent instead");
  EXPECT_EQ(
      error(std::string("PK\x03\x04", 4) + std::string(60, '\0')),
      "is a zip archive (a PyTorch checkpoint is one), no .onnx model; export the model with torch.onnx.export");
  EXPECT_EQ(error("\x08\x07\x7f"), "is damaged or cut short, or no .onnx model; fetch or export it again");
}

TEST(OnnxErrors, GraphWithoutOutputs) {
  OnnxWriter file;
  file.input("x", {1, 4});
  EXPECT_EQ(error_of(file), "has no outputs; there is nothing to compute");
  file.model().clear_graph();
  EXPECT_EQ(error_of(file), "is not an .onnx model: it has no graph");
}

TEST(OnnxErrors, OperatorsWithAReasonOfTheirOwn) {
  const auto error = [](const std::string& op, const std::string& domain) {
    OnnxWriter file;
    file.input("x", {1, 4});
    onnx::schema::Node& node = file.node(op, {"x"}, {"y"});
    node.set_domain(domain);
    node.set_name("/encoder/step");
    file.output("y", {1, 4});
    return error_of(file);
  };
  EXPECT_EQ(
      error("If", ""),
      "If #0 (/encoder/step): decides at run time what to compute, which is not supported; choose with Where, "
      "or make a model of each branch");
  EXPECT_EQ(error("NonZero", ""),
            "NonZero #0 (/encoder/step): gives an output whose size only its values tell, and memory is planned "
            "before; let the application do this step");
  EXPECT_EQ(
      error("FastGelu", "com.microsoft"),
      "FastGelu #0 (/encoder/step): this operator of the domain 'com.microsoft' is not supported; ONNX Runtime's "
      "optimiser writes such: give the model as it was exported, or optimise it with "
      "GraphOptimizationLevel.ORT_ENABLE_BASIC only");
  EXPECT_EQ(error("Conv9", "my.company"),
            "Conv9 #0 (/encoder/step): this operator of the domain 'my.company' is not supported; export it as "
            "operators of the ONNX standard");
}

// The number and the name of a node are the file's, also where one is read as several.
TEST(OnnxErrors, QuantisedOperatorsAreCalledAsInTheFile) {
  OnnxWriter file;
  file.input("x", {1, 4}, DType::u8);
  file.constant("scale", {}, std::vector<float>{0.5F});
  file.constant("zero", {DType::u8, {}, {}}, to_bytes(std::vector<uint8_t>{128}));
  file.model().add_opset_import()->set_domain("com.microsoft");
  for (const auto& [from, to] : {std::pair{"x", "a"}, {"a", "y"}}) {
    onnx::schema::Node& node = file.node("QLinearSigmoid", {from, "scale", "zero", "scale", "zero"}, {to});
    node.set_domain("com.microsoft");
    node.set_name(std::string("act/") + to);
  }
  file.output("y", {1, 4}, DType::u8);
  EXPECT_EQ(error_of(file), "");
  OnnxWriter::set(*file.model().mutable_graph()->mutable_node(1), "slope", int64_t{1});
  EXPECT_EQ(error_of(file),
            "QLinearSigmoid #1 (act/y): has attributes that Mote does not know for Sigmoid: slope; remove them or "
            "export another opset");
}

TEST(OnnxErrors, ShapesThatDoNotFit) {
  const auto error = [](const std::vector<int64_t>& shape) {
    OnnxWriter file;
    file.input("x", {1, 4});
    file.constant("s", {std::ssize(shape)}, shape);
    file.node("Reshape", {"x", "s"}, {"y"});
    file.output("y", {1, 4});
    return error_of(file);
  };
  EXPECT_EQ(error({3, -1}), "Reshape #0 (y): cannot complete the shape 3x-1 (-1: open) to the 4 elements of 1x4");
  EXPECT_EQ(error({-1, -1}), "Reshape #0 (y): leaves two dimensions of its shape -1x-1 open");
  EXPECT_EQ(error({-2, -2}), "Reshape #0 (y): shape -2x-2 has a negative extent");
  EXPECT_EQ(error({5, 1}), "Reshape #0 (y): cannot give 1x4 the shape 5x1: the numbers of elements differ");
}

// Models that fuzzing found: each crashed, hung or ran out of memory once.
class Damaged : public testing::Test {
 protected:
  // One node from x (float, `shape`), with constants c0, c1, ... as further inputs.
  onnx::schema::Node& node(const std::string& op, const Shape& shape,
                           const std::vector<std::vector<int64_t>>& constants = {}) {
    file_.input("x", shape);
    std::vector<std::string> inputs{"x"};
    for (const std::vector<int64_t>& values : constants) {
      inputs.push_back(fmt::format("c{}", inputs.size() - 1));
      file_.constant(inputs.back(), {std::ssize(values)}, values);
    }
    file_.output("y", {1});
    file_.model().mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
    return file_.node(op, inputs, {"y"});
  }
  std::string error() { return error_of(file_); }

  OnnxWriter file_;
};

TEST_F(Damaged, OutputsWithoutAName) {
  node("Round", {4}).set_output(0, "");
  EXPECT_EQ(error(), "Round #0 (): has no output");
  OnnxWriter two;  // the second output is one that the operator does not have
  two.input("x", {4}, DType::u8);
  two.node("Mul", {"x", "x"}, {"", "y"});
  two.node("And", {"x", "x"}, {"", "z"});
  two.output("y", {4}, DType::u8);
  EXPECT_NE(error_of(two), "");
}

TEST_F(Damaged, HugeInputs) {
  node("Trilu", {2, int64_t{1} << 32, 3});
  EXPECT_EQ(error(),
            "input 'x' has 25769803776 elements (shape 2x4294967296x3); no microcontroller holds as many");
}

TEST_F(Damaged, HugeResults) {
  node("Expand", {1, 1}, {{1 << 16, 1 << 16}});
  EXPECT_EQ(
      error(),
      "Expand #0 (y): has a tensor of 17179869184 bytes (f32 65536x65536); no microcontroller holds as much");
}

TEST_F(Damaged, BlocksWhoseSquareOverflows) {
  OnnxWriter::set(node("DepthToSpace", {1, 4, 2, 2}), "blocksize", int64_t{1} << 32);
  EXPECT_EQ(error(), "DepthToSpace #0 (y): has a block of 4294967296 for 1x4x2x2");
}

TEST_F(Damaged, RanksThatAreTooSmall) {
  node("InstanceNormalization", {4}, {{1}, {1}});
  EXPECT_EQ(
      error(),
      "InstanceNormalization #0 (y): has an input of rank 1; it needs a batch, channels and at least one more "
      "dimension");
  OnnxWriter conv;
  conv.input("x", {4});
  conv.constant("w", {4}, std::vector<float>(4));
  conv.node("Conv", {"x", "w"}, {"y"});
  conv.output("y", {4});
  EXPECT_EQ(
      error_of(conv),
      "Conv #0 (y): has weights 4 for an input 4; both need a batch, channels and at least one more dimension");
}

TEST_F(Damaged, ShapesOfManyNumbers) {
  file_.constant("size", {1}, std::vector<int64_t>{1 << 20});
  file_.node("ConstantOfShape", {"size"}, {"shape"});
  OnnxWriter::set(file_.node("Cast", {"shape"}, {"integers"}), "to", int64_t{7});
  node("Reshape", {4}).add_input("integers");
  EXPECT_EQ(error(),
            "Reshape #2 (y): has 1048576 numbers as its shape, which cannot be right; export the model again");
}

TEST_F(Damaged, MatricesOfAResize) {
  file_.input("x", {1, 1, 20000, 4});
  file_.constant("scales", {4}, std::vector<float>{1.0F, 1.0F, 0.9F, 1.0F});
  OnnxWriter::set(file_.node("Resize", {"x", "", "scales"}, {"y"}), "mode", std::string("cubic"));
  file_.output("y", {1, 1, 17999, 4});
  EXPECT_EQ(
      error(),
      "Resize #0 (y): makes 17999 elements of 20000 by a matrix, which is too large; use mode nearest, or linear "
      "with scales that are the ratio of the sizes");
}

TEST_F(Damaged, ScalesThatAreNoNumbers) {
  for (const float scale : {NAN, INFINITY, 1e30F, -1.0F}) {
    OnnxWriter file;
    file.input("x", {1, 1, 4, 4});
    file.constant("scales", {4}, std::vector<float>{1.0F, 1.0F, scale, 1.0F});
    file.node("Resize", {"x", "", "scales"}, {"y"});
    file.output("y", {1, 1, 4, 4});
    EXPECT_EQ(error_of(file), "Resize #0 (y): resizes 4 to 0; sizes up to 32767 are supported");
  }
}

TEST_F(Damaged, WindowsThatOverflow) {
  for (const char* const attribute : {"kernel_shape", "strides", "dilations", "pads"}) {
    OnnxWriter file;
    file.input("x", {1, 1, 4});
    onnx::schema::Node& pool = file.node("MaxPool", {"x"}, {"y"});
    if (std::string_view(attribute) != "kernel_shape") OnnxWriter::set(pool, "kernel_shape", {2});
    if (std::string_view(attribute) == "pads") {
      OnnxWriter::set(pool, attribute, {INT64_MAX, 0});
    } else {
      OnnxWriter::set(pool, attribute, {INT64_MAX});
    }
    file.output("y", {1, 1, 1});
    EXPECT_NE(error_of(file).find("too large"), std::string::npos) << attribute;
  }
}

TEST_F(Damaged, StepsOfASliceThatOverflow) {
  for (const int64_t step : {INT64_MAX, INT64_MIN}) {
    OnnxWriter file;
    file.input("x", {4});
    const bool up = step > 0;
    const std::vector<std::pair<const char*, int64_t>> numbers{
        {"start", up ? 1 : 2}, {"end", up ? INT64_MAX : INT64_MIN}, {"axis", 0}, {"step", step}};
    std::vector<std::string> inputs{"x"};
    for (const auto& [name, number] : numbers) {
      file.constant(name, {1}, std::vector<int64_t>{number});
      inputs.push_back(name);
    }
    file.node("Slice", inputs, {"y"});
    file.output("y", {1});
    EXPECT_EQ(error_of(file), "");
  }
}

TEST_F(Damaged, NodesWithoutWhatTheirOperatorTakes) {
  file_.constant("none", {0}, std::vector<int64_t>{});
  OnnxWriter::set(file_.node("Concat", {"none", "none"}, {"y"}), "axis", int64_t{0});
  file_.output("y", {0}, DType::i64);
  EXPECT_EQ(error(),
            "Concat #0 (y): has fewer inputs, outputs or dimensions than its operator takes; the file is damaged, "
            "export it again");
}

// What is broadcast is reshaped first, which adds a tensor: at some number of tensors the list of all of them
// moves.
TEST_F(Damaged, ListOfTensorsThatMoves) {
  for (int count = 0; count < 70; ++count) {
    OnnxWriter file;
    file.input("x", {2, 3, 4, 5});
    file.constant("b", {5}, std::vector<float>(5, 1.0F));
    std::string last = "x";
    for (int i = 0; i < count; ++i) {
      file.node("Relu", {last}, {fmt::format("r{}", i)});
      last = fmt::format("r{}", i);
    }
    file.node("Add", {last, "b"}, {"y"});
    file.output("y", {2, 3, 4, 5});
    EXPECT_EQ(error_of(file), "") << count;
  }
}

TEST(OnnxErrors, DamagedFile) {
  Bytes bytes = relu().bytes();
  bytes.resize(bytes.size() / 2);
  try {
    (void)compile_model(bytes, "net");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "is damaged or cut short, or no .onnx model; fetch or export it again");
  }
}

class ExternalData : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_ / "model"); }

  // The model adds four numbers that stand in `location` at byte 4.
  std::string error(const std::string& location) {
    OnnxWriter file;
    file.input("x", {1, 4});
    onnx::schema::Tensor& tensor = file.constant("b", {4}, std::vector<float>(4));
    tensor.clear_raw_data();
    tensor.set_data_location(1);
    for (const auto& [key, value] : {std::pair{"location", location}, {"offset", "4"}, {"length", "16"}}) {
      onnx::schema::Entry& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    file.node("Add", {"x", "b"}, {"y"});
    file.output("y", {1, 4});
    write_file(folder_ / "model/net.onnx", file.bytes());
    try {
      compiled_ = compile_file(folder_ / "model/net.onnx");
    } catch (const Error& error) {
      const std::string text = error.what();
      return text.substr(text.find("net.onnx: ") + 10);
    }
    return "";
  }

  TemporaryDirectory temporary_;
  const std::filesystem::path folder_ = temporary_.path();
  Compiled compiled_;
};

TEST_F(ExternalData, IsReadAtItsOffset) {
  write_file(folder_ / "model/weights.bin", to_bytes(std::vector<float>{9, 1, 2, 3, 4}));
  ASSERT_EQ(error("weights.bin"), "");
  const Node& node = compiled_.graph.nodes.at(0);
  EXPECT_EQ(to_values<float>(compiled_.graph.tensors[node.in[1]].data), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(ExternalData, MissingFile) {
  EXPECT_EQ(
      error("weights.bin"),
      "constant 'b': keeps its data in 'weights.bin', which cannot be read; put that file beside the model, or "
      "save the model in one file (onnx.save_model with save_as_external_data=False)");
}

TEST_F(ExternalData, FileThatIsTooShort) {
  write_file(folder_ / "model/weights.bin", to_bytes(std::vector<float>{9, 1, 2, 3}));
  EXPECT_EQ(error("weights.bin"),
            "constant 'b': needs bytes 4 to 20 of 'weights.bin', which has 16; the file is incomplete");
}

TEST_F(ExternalData, FileOutsideTheModelsFolder) {
  write_file(folder_ / "weights.bin", to_bytes(std::vector<float>{9, 1, 2, 3, 4}));
  const std::string refused =
      "constant 'b': keeps its data in '{}', outside the model's folder; copy the file beside the model";
  for (const std::string& location : {std::string("../weights.bin"), (folder_ / "weights.bin").string()}) {
    const std::string shown = location.size() <= 80 ? location : location.substr(0, 80) + "...";
    EXPECT_EQ(error(location), fmt::format(fmt::runtime(refused), shown));
  }
  std::filesystem::create_symlink(folder_ / "weights.bin", folder_ / "model/link.bin");
  EXPECT_EQ(error("link.bin"), fmt::format(fmt::runtime(refused), "link.bin"));
}

TEST(Shapes, OnTheCommandLine) {
  EXPECT_EQ(parse_shape("x:0=1,3,96,96"), (std::pair<std::string, Shape>{"x:0", {1, 3, 96, 96}}));
  for (const char* const text : {"x", "=1,2", "x=1,-2", "x=1,,2", "x=1,a"}) {
    EXPECT_THROW((void)parse_shape(text), Error) << text;
  }
}

}  // namespace
}  // namespace mote
