// SPDX-License-Identifier: Apache-2.0
// Generated code stands alone: it compiles without warnings by every compiler, from C and C++, two models in one
// program, and computes what the simulator computes.
#include "codegen/codegen.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "compile/compile.hpp"
#include "emulate/process.hpp"
#include "simulate/simulate.hpp"
#include "support/models.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

void write_model(const Compiled& model, Mode mode, const fs::path& directory) {
  for (const GeneratedFile& file : generate(model.graph, model.plan, mode)) {
    fs::create_directories((directory / file.path).parent_path());
    write_file(directory / file.path, file.text);
  }
}

void expect_success(const std::string& command) {
  const ProcessResult result = run_process(split_words(command), std::chrono::seconds(120));
  EXPECT_EQ(result.exit_status, 0) << command << "\n" << tail(result.errors, 12);
}

constexpr const char* strict = " -Wall -Wextra -Werror -fno-exceptions -fno-rtti -std=c++17 ";

class Generated : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  const Compiled digits_ = compile_file(test::digits_model());
  TemporaryDirectory folder_;
};

TEST_F(Generated, CompilesForEveryTargetInEveryMode) {
  for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
    const fs::path directory = folder_.path() / std::string(name(mode));
    write_model(digits_, mode, directory);
    const std::string source = (directory / "digits.cpp").string() + " -o " + file("digits.o");
    for (const char* const compiler : {"g++", "clang++"}) {
      expect_success(fmt::format("{}{}-O2 -c {}", compiler, strict, source));
    }
    for (const Target* const target : target::all()) {
      if (target->compiler.empty()) continue;
      expect_success(fmt::format("{} {}{}-O2 -c {}", target->compiler, target->compile_flags, strict, source));
    }
    // clang for the instruction sets that it has; freestanding, so that it needs no C library of theirs.
    for (const char* const flags :
         {"--target=riscv32-unknown-elf -march=rv32imac -mabi=ilp32", "--target=arm-none-eabi -mcpu=cortex-m4",
          "--target=arm-none-eabi -mcpu=cortex-m0"}) {
      write_file(folder_.path() / "string.h",
                 "#include <stddef.h>\nextern \"C\" void* memcpy(void*, const void*, size_t);\n"
                 "extern \"C\" void* memset(void*, int, size_t);\n");
      expect_success(fmt::format("clang++ {} -ffreestanding -nostdlibinc -I{}{}-O2 -c {}", flags,
                                 folder_.path().string(), strict, source));
    }
  }
}

TEST_F(Generated, HeaderServesC) {
  write_model(digits_, Mode::size, folder_.path());
  write_file(folder_.path() / "use.c",
             "#include \"digits.h\"\n"
             "static uint8_t arena[DIGITS_ARENA_BYTES] __attribute__((aligned(DIGITS_ARENA_ALIGN)));\n"
             "int first(void) { digits_input0(arena)[DIGITS_INPUT0_BYTES - 1] = 1; digits_run(arena);\n"
             "  return digits_output0(arena)[0] + DIGITS_OUTPUT0_ZERO_POINT + (int)DIGITS_OUTPUT0_SCALE; }\n");
  for (const char* const compiler : {"gcc", "clang"}) {
    expect_success(fmt::format("{} -std=c99 -Wall -Wextra -Wpedantic -Werror -c {} -o {}", compiler, file("use.c"),
                               file("use.o")));
  }
}

TEST_F(Generated, TwoModelsLinkIntoOneProgramAndComputeWhatTheSimulatorDoes) {
  Compiled other = digits_;
  other.graph.name = "other";
  write_model(digits_, Mode::speed, folder_.path());
  write_model(other, Mode::size, folder_.path());
  write_file(folder_.path() / "main.cpp",
             "#include <stdio.h>\n#include \"digits.h\"\n#include \"other.h\"\n"
             "alignas(16) static uint8_t arena[DIGITS_ARENA_BYTES], arena2[OTHER_ARENA_BYTES];\n"
             "int main() {\n  for (int i = 0; i < 64; ++i) { digits_input0(arena)[i] = other_input0(arena2)[i] = "
             "(int8_t)(i % 16 - 128); }\n"
             "  digits_run(arena); other_run(arena2);\n"
             "  for (int i = 0; i < 10; ++i) printf(\"%d %d \", digits_output0(arena)[i], "
             "other_output0(arena2)[i]);\n}\n");
  expect_success(fmt::format("g++{}{} {} {} -o {}", strict, file("main.cpp"), file("digits.cpp"),
                             file("other.cpp"), file("main")));
  ASSERT_TRUE(fs::exists(file("main")));
  Bytes input;
  for (int i = 0; i < 64; ++i) input.push_back(static_cast<std::byte>(i % 16 - 128));
  std::string expected;
  const std::vector<Bytes> outputs = simulate(digits_.graph, digits_.plan, {input});
  for (const std::byte value : outputs[0]) {
    expected += fmt::format("{0} {0} ", static_cast<int8_t>(value));
  }
  EXPECT_EQ(run_process({file("main")}, std::chrono::seconds(10)).output, expected);
}

TEST_F(Generated, HasNoStaticConstructorsAndNoVariables) {
  write_model(digits_, Mode::balanced, folder_.path());
  // Not position independent, as on a device: constants with addresses would be data to be relocated.
  expect_success(fmt::format("g++{}-fno-pie -O2 -c {} -o {}", strict, file("digits.cpp"), file("digits.o")));
  ASSERT_TRUE(fs::exists(file("digits.o")));
  const ProcessResult sections = run_process({"objdump", "-h", file("digits.o")}, std::chrono::seconds(10));
  EXPECT_NE(sections.output.find(".text"), std::string::npos);
  EXPECT_EQ(sections.output.find(".init_array"), std::string::npos) << sections.output;
  const ProcessResult sizes = run_process({"size", file("digits.o")}, std::chrono::seconds(10));
  std::istringstream numbers(sizes.output.substr(sizes.output.find('\n') + 1));
  int64_t text = 0, data = -1, bss = -1;
  numbers >> text >> data >> bss;
  EXPECT_GT(text, 0);
  EXPECT_EQ(data, 0);
  EXPECT_EQ(bss, 0);
}

TEST_F(Generated, NamesLayersShapesAndMacs) {
  const std::vector<GeneratedFile> files = generate(digits_.graph, digits_.plan, Mode::size);
  const auto source = std::find_if(files.begin(), files.end(),
                                   [](const GeneratedFile& file) { return file.path == "digits.cpp"; });
  ASSERT_NE(source, files.end());
  EXPECT_NE(source->text.find("// CONV_2D #0 (conv1): 1x8x8x1 i8 -> 1x8x8x16 i8, 9216 MAC"), std::string::npos);
}

}  // namespace
}  // namespace mote
