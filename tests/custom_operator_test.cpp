// SPDX-License-Identifier: Apache-2.0
// A user's own operator through the command line: on the host, in an emulated core, and every way to get it wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "support/tflite_writer.hpp"

namespace mote::test {
namespace {

namespace fs = std::filesystem;

class CustomOperator : public testing::Test {
 protected:
  static ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MOTE_PROGRAM);
    return run_process(arguments, std::chrono::seconds(300));
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Exit status 1, nothing on standard output; the message.
  static std::string error_of(const std::vector<std::string>& arguments) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1) << result.output;
    EXPECT_EQ(result.output, "");
    return result.errors;
  }

  std::string error_of_operator(const std::string& name, const std::string& text) {
    write_file(path(name), text);
    return error_of({"inspect", model_, "--operator", path(name)});
  }

  const fs::path example_ = fs::path(MOTE_SOURCE_DIR) / "examples" / "custom_operator";
  const std::string operator_ = (example_ / "hard_sigmoid.cpp").string();
  const std::string model_ = (example_ / "hard_sigmoid.tflite").string();
  TemporaryDirectory folder_;
};

// All 256 inputs against the formula.
void expect_hard_sigmoid(const Bytes& outputs, float scale, int zero) {
  ASSERT_EQ(outputs.size(), 256U);
  for (int q = -128; q < 128; ++q) {
    const double y = std::clamp(static_cast<double>(scale) * (q - zero) / 6.0 + 0.5, 0.0, 1.0);
    const double expected = std::clamp(std::round(y * 256.0) - 128.0, -128.0, 127.0);
    EXPECT_EQ(static_cast<int8_t>(outputs[static_cast<size_t>(q + 128)]), static_cast<int>(expected)) << q;
  }
}

TEST_F(CustomOperator, ComputesItsFormulaOnTheHostAndInAnEmulatedCore) {
  TfliteWriter file;
  const int x = file.tensor("x", {DType::i8, {256}, {{0.05F}, {3}, -1}});
  const int y = file.tensor("y", {DType::i8, {256}, {{1.0F / 256}, {-128}, -1}});
  file.add_custom("HardSigmoid", {x}, {y});
  file.finish({x}, {y});
  write_file(path("all.tflite"), file.bytes());
  Bytes inputs;
  for (int q = -128; q < 128; ++q) inputs.push_back(static_cast<std::byte>(q));
  write_file(path("x.bin"), inputs);
  for (const char* const target : {"host", "rv32imac"}) {
    const ProcessResult result = run({"run", path("all.tflite"), "--operator", operator_, "--target", target,
                                      "--input", path("x.bin"), "--output", path(target)});
    ASSERT_EQ(result.exit_status, 0) << result.errors;
    expect_hard_sigmoid(read_file(fs::path(path(target)) / "out0.bin"), 0.05F, 3);
  }
}

TEST_F(CustomOperator, TheExampleVerifiesAndItsGeneratedCodeNeedsNothingElse) {
  const ProcessResult verified = run({"verify", model_, "--operator", operator_, "--target", "rv32imac"});
  EXPECT_EQ(verified.exit_status, 0) << verified.errors;
  EXPECT_NE(verified.output.find("80 of 80 output bytes equal"), std::string::npos) << verified.output;
  const ProcessResult compiled = run({"compile", model_, "--operator", operator_, "-o", path("out")});
  EXPECT_EQ(compiled.exit_status, 0) << compiled.errors;
  const ProcessResult built = run_process(
      {"g++", "-std=c++17", "-Wall", "-Werror", "-c", "-o", path("model.o"), path("out") + "/hard_sigmoid.cpp"},
      std::chrono::seconds(60));
  EXPECT_EQ(built.exit_status, 0) << built.errors;
}

TEST_F(CustomOperator, WithoutItTheModelIsRefused) {
  EXPECT_NE(error_of({"inspect", model_}).find("HardSigmoid #1 (y): this operator is not supported"),
            std::string::npos);
}

TEST_F(CustomOperator, ThatDoesNotCompileShowsTheCompilersMessage) {
  const std::string text = error_of_operator("broken.cpp", "int f() { return missing; }\n");
  EXPECT_EQ(text.find("mote: error: " + path("broken.cpp") + ": does not compile:\n  "), 0U) << text;
  EXPECT_NE(text.find("broken.cpp:1:18: error: "), std::string::npos) << text;
  EXPECT_NE(text.find("was not declared in this scope\n"), std::string::npos) << text;
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

TEST_F(CustomOperator, ThatDefinesNoOperator) {
  EXPECT_EQ(
      error_of_operator("empty.cpp", "int f() { return 1; }\n"),
      "mote: error: " + path("empty.cpp") +
          ": defines no operator: `extern const OpDef empty` is missing in namespace mote::op; it must be named "
          "as its file\n");
}

TEST_F(CustomOperator, ThatTakesABuiltinName) {
  const std::string text =
      "#include \"ir/operator.hpp\"\nnamespace mote::op {\nextern const OpDef mine{.name = \"mine\", .tflite = "
      "{{\"ADD\", "
      "nullptr}}};\n}\n";
  EXPECT_EQ(
      error_of_operator("mine.cpp", text),
      "mote: error: " + path("mine.cpp") + ": defines 'ADD', which is built in; give it a name of its own\n");
}

TEST_F(CustomOperator, ThatIsGivenTwice) {
  EXPECT_EQ(error_of({"inspect", model_, "--operator", operator_, "--operator", operator_}),
            "mote: error: " + operator_ +
                ": names its operator 'hard_sigmoid', which is loaded before; give it a name of its own\n");
}

TEST_F(CustomOperator, ThatIsNoFile) {
  EXPECT_NE(error_of({"inspect", model_, "--operator", path("none.cpp")}).find(path("none.cpp")),
            std::string::npos);
  write_file(path("text.txt"), "");
  EXPECT_EQ(error_of({"inspect", model_, "--operator", path("text.txt")}),
            "mote: error: " + path("text.txt") + ": is no C++ file (.cpp)\n");
}

}  // namespace
}  // namespace mote::test
