// SPDX-License-Identifier: Apache-2.0
// The program as a person uses it: what it writes, the exact texts of its errors, and that nothing is lost.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "support/models.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

class Program : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), MOTE_PROGRAM);
    return run_process(arguments, std::chrono::seconds(120));
  }

  // Runs, and expects exit status 1 with exactly this message and no other output.
  void expect_error(const std::vector<std::string>& arguments, const std::string& message) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 1);
    EXPECT_EQ(result.errors, "mote: error: " + message + "\n");
    EXPECT_EQ(result.output, "");
  }

  std::string file(const std::string& name, ByteSpan content) {
    const std::string path = (folder_.path() / name).string();
    write_file(path, content);
    return path;
  }
  std::string file(const std::string& name, std::string_view content) {
    return file(name, std::as_bytes(std::span(content)));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  const std::string digits_ = test::digits_model().string();
  TemporaryDirectory folder_;
};

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    names.insert(entry.path().filename().string());
  return names;
}

TEST_F(Program, CompilesIntoAFolder) {
  const ProcessResult result = run({"compile", digits_, "-o", path("out")});
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  const std::set<std::string> names = names_in(path("out"));
  EXPECT_EQ(names.count("digits.h") + names.count("digits.cpp") + names.count("report.json") + names.count("nn"),
            4U);
  EXPECT_EQ(names_in(folder_.path()), std::set<std::string>{"out"}) << "no temporary folder may stay";
}

TEST_F(Program, CompilingTwiceGivesTheSameBytesAndReplacesTheFolder) {
  EXPECT_EQ(run({"compile", digits_, "-o", path("a")}).exit_status, 0);
  EXPECT_EQ(run({"compile", digits_, "-o", path("b")}).exit_status, 0);
  EXPECT_EQ(run({"compile", digits_, "-o", path("b")}).exit_status, 0);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path("a"))) {
    if (entry.is_directory()) continue;
    const fs::path other = fs::path(path("b")) / entry.path().lexically_relative(path("a"));
    EXPECT_EQ(read_text(entry.path()), read_text(other)) << other;
  }
}

TEST_F(Program, PrintsOneJsonObjectWithTheAgreedKeys) {
  for (const char* const command : {"run", "verify"}) {
    const ProcessResult result = run({command, digits_, "--target", "rv32imac", "--json"});
    ASSERT_EQ(result.exit_status, 0) << result.errors;
    const nlohmann::json json = nlohmann::json::parse(result.output);
    for (const char* const key :
         {"model", "target", "compiler", "mode", "macs", "instructions", "instructions_per_mac", "arena_bytes",
          "arena_lower_bound_bytes", "stack_peak_bytes", "stack_bound_bytes", "code_bytes", "weight_bytes",
          "layers", "outputs"}) {
      ASSERT_TRUE(json.contains(key)) << key;
      EXPECT_FALSE(json[key].is_null()) << key;
    }
    for (const char* const key :
         {"name", "op", "macs", "instructions", "code_bytes", "shared_kernel", "stack_bytes"})
      EXPECT_TRUE(json["layers"][0].contains(key));
    for (const char* const key : {"name", "dtype", "shape", "file"}) EXPECT_TRUE(json["outputs"][0].contains(key));
    EXPECT_EQ(json["compiler"], "riscv64-unknown-elf-g++");
    EXPECT_LE(json["stack_peak_bytes"].get<int64_t>(), json["stack_bound_bytes"].get<int64_t>());
    EXPECT_GE(json["arena_bytes"].get<int64_t>(), json["arena_lower_bound_bytes"].get<int64_t>());
  }
}

TEST_F(Program, RunWritesRawOutputs) {
  const fs::path golden = test::digits_golden();
  const ProcessResult result =
      run({"run", digits_, "--input", (golden / "case3_in0.bin").string(), "--output", path("out")});
  ASSERT_EQ(result.exit_status, 0) << result.errors;
  EXPECT_EQ(read_file(path("out/out0.bin")), read_file(golden / "case3_out0.bin"));
}

TEST_F(Program, ReadsNpyInputs) {
  const Bytes raw = read_file(test::digits_golden() / "case3_in0.bin");
  std::string header = "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 8, 8, 1), }";
  header.resize(117, ' ');
  header += '\n';
  const std::string text = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
                           std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
  ASSERT_EQ(run({"run", digits_, "--input", file("x.npy", text), "--output", path("out")}).exit_status, 0);
  EXPECT_EQ(read_file(path("out/out0.bin")), read_file(test::digits_golden() / "case3_out0.bin"));
  std::string floats = text;
  floats.replace(floats.find("|i1"), 3, "<f4");
  expect_error({"run", digits_, "--input", file("f.npy", floats)},
               path("f.npy") + ": holds f32, input 'image' needs i8 1x8x8x1");
}

TEST_F(Program, VerifyFailsOnASingleWrongByte) {
  fs::copy(test::digits_golden(), path("golden"), fs::copy_options::recursive);
  Bytes output = read_file(path("golden/case5_out0.bin"));
  output[3] ^= std::byte{1};
  write_file(path("golden/case5_out0.bin"), output);
  const ProcessResult result = run({"verify", digits_, "--golden", path("golden")});
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.output.find("159 of 160 output bytes"), std::string::npos) << result.output;
  EXPECT_EQ(result.errors.rfind("mote: first difference: case5, output 0 'probabilities', element 3: ", 0), 0U)
      << result.errors;
}

TEST_F(Program, NamesWhatIsWrongWithAModelFile) {
  expect_error({"inspect", path("none.tflite")}, path("none.tflite") + ": no such file");
  expect_error({"inspect", file("empty.tflite", "")},
               path("empty.tflite") + ": is empty; a .tflite model was expected");
  expect_error({"inspect", file("text.tflite", "this is no model at all")},
               path("text.tflite") + ": is not a .tflite model: the bytes 'TFL3' are missing at position 4");
  Bytes bytes = read_file(digits_);
  bytes.resize(3000);
  expect_error({"inspect", file("cut.tflite", bytes)},
               path("cut.tflite") +
                   ": is damaged or cut short: parts of it lie outside its 3000 bytes; fetch or convert it again");
}

TEST_F(Program, LeavesNothingBehindWhenAnOnnxModelIsRefused) {
  const std::string model = file("page.onnx", "<!DOCTYPE html>");
  expect_error(
      {"compile", model, "-o", path("out")},
      model + ": holds text, no .onnx model; if it was fetched from the web, look what the server sent instead");
  expect_error({"compile", file("none.onnx", ""), "-o", path("out")},
               path("none.onnx") + ": is empty; an .onnx model was expected");
  EXPECT_EQ(names_in(folder_.path()), (std::set<std::string>{"page.onnx", "none.onnx"}));
}

TEST_F(Program, NamesWhatIsWrongWithAnInput) {
  expect_error({"run", digits_, "--input", file("short.bin", "abc")},
               path("short.bin") + ": holds 3 bytes, input 'image' needs 64 (i8 1x8x8x1)");
  expect_error({"run", digits_, "--input", file("a.bin", "abc"), file("b.bin", "abc")},
               "the model has 1 inputs, 2 --input files given");
  expect_error({"run", digits_, "--input", file("x.npy", "no array")}, path("x.npy") + ": is not a .npy file");
}

TEST_F(Program, NamesWhatIsWrongWithAnOption) {
  expect_error({"run", digits_, "--optimize", "fast"}, "--optimize fast: unknown; choose size, balanced or speed");
  const ProcessResult target = run({"run", digits_, "--target", "rv32imax"});
  EXPECT_EQ(target.exit_status, 1);
  EXPECT_EQ(target.errors.rfind("mote: error: there is no target 'rv32imax'; known: rv32imac, rv32imafc, ", 0), 0U)
      << target.errors;
  EXPECT_EQ(run({"frobnicate"}).exit_status, 2);
  EXPECT_EQ(run({}).exit_status, 2);
  EXPECT_EQ(run({"run"}).exit_status, 2);
  EXPECT_EQ(run({"run", "--help"}).exit_status, 0);
}

TEST_F(Program, NamesTheNearestOfWhatIsUnknown) {
  const auto expect_usage = [&](const std::vector<std::string>& arguments, const std::string& beginning) {
    const ProcessResult result = run(arguments);
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_EQ(result.errors.substr(0, beginning.size()), beginning);
    EXPECT_TRUE(result.errors.ends_with("\nRun with --help for more information.\n")) << result.errors;
    EXPECT_EQ(result.output, "");
  };
  expect_usage({"fitt", digits_}, "mote: there is no command 'fitt'; the nearest: fit, ");
  expect_usage({"fit", digits_, "--optimise", "size"},
               "mote: there is no option '--optimise'; the nearest: --optimize, ");
  expect_usage({"zoo", "shw", "a.sqlite"}, "mote: there is no command 'shw'; the nearest: show, ");
  expect_usage({"zoo", "show", "a.sqlite", "--formt=csv"},
               "mote: there is no option '--formt'; the nearest: --format, ");
  expect_usage({"fit"}, "model is required\n");
}

TEST_F(Program, SaysWhatDoesNotFitBeforeAnyCompilerRuns) {
  // PATH leads nowhere: no compiler could have run.
  const ProcessResult result =
      run_process({"/usr/bin/env", "PATH=/nowhere", MOTE_PROGRAM, "compile", digits_, "--target", "rv32imac", "-o",
                   path("out"), "--ram", "500", "--flash", "4000"},
                  std::chrono::seconds(60));
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.errors.rfind("mote: error: digits does not fit\nRAM: the arena takes ", 0), 0U)
      << result.errors;
  EXPECT_NE(result.errors.find(" B, 500 B are allowed: "), std::string::npos);
  EXPECT_NE(result.errors.find("flash: the weights alone take "), std::string::npos);
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Program, CountsStackAndCodeOnceTheyAreKnown) {
  // The arena alone, in strips, fits 1,040 bytes and the weights alone 5,000: stack and code decide.
  const ProcessResult ram = run({"compile", digits_, "--target", "rv32imac", "-o", path("out"), "--ram", "1040"});
  EXPECT_EQ(ram.exit_status, 1);
  EXPECT_EQ(ram.errors.rfind("mote: error: digits does not fit\nRAM: arena 768 B + stack ", 0), 0U) << ram.errors;
  const ProcessResult flash =
      run({"compile", digits_, "--target", "rv32imac", "-o", path("out"), "--flash", "5000"});
  EXPECT_EQ(flash.exit_status, 1);
  EXPECT_EQ(flash.errors.rfind("mote: error: digits does not fit\nflash: weights ", 0), 0U) << flash.errors;
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Program, NamesThePackageOfAMissingTool) {
  const auto without_tools = [&](const std::string& target) {
    return run_process({"/usr/bin/env", "PATH=/nowhere", MOTE_PROGRAM, "run", digits_, "--target", target},
                       std::chrono::seconds(60))
        .errors;
  };
  EXPECT_EQ(without_tools("rv32imac"),
            "mote: error: riscv64-unknown-elf-g++ is not installed; on Debian or Ubuntu: apt-get install "
            "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf\n");
  EXPECT_EQ(
      without_tools("lx106"),
      "mote: error: xtensa-lx106-elf-g++ is not installed; on Debian or Ubuntu: apt-get install gcc-xtensa-lx106 "
      "picolibc-xtensa-lx106-elf\n");
}

TEST_F(Program, NamesTheCompilerThatServes) {
  const ProcessResult lx106 = run({"run", digits_, "--target", "lx106", "--compiler", "clang++"});
  EXPECT_EQ(lx106.exit_status, 1);
  EXPECT_EQ(lx106.errors, "mote: error: clang++ has no code generator for lx106; leave --compiler out\n");
  if (run_process({"sh", "-c", "command -v clang++"}, std::chrono::seconds(10)).exit_status != 0)
    GTEST_SKIP() << "clang++ is not installed";
  const ProcessResult verified =
      run({"verify", digits_, "--target", "rv32imac", "--compiler", "clang++", "--json"});
  ASSERT_EQ(verified.exit_status, 0) << verified.errors;
  EXPECT_EQ(nlohmann::json::parse(verified.output)["compiler"], "clang++");
}

TEST_F(Program, NeverOverwritesAUsersFile) {
  fs::create_directories(path("mine"));
  file("mine/notes.txt", "keep me");
  expect_error(
      {"compile", digits_, "-o", path("mine")},
      path("mine") +
          ": holds 1 file that Mote did not write (notes.txt); nothing was changed, choose an empty folder");
  EXPECT_EQ(read_text(path("mine/notes.txt")), "keep me");
  EXPECT_EQ(names_in(path("mine")).size(), 1U);

  ASSERT_EQ(run({"compile", digits_, "-o", path("out")}).exit_status, 0);
  file("out/added.txt", "mine too");
  EXPECT_EQ(run({"compile", digits_, "-o", path("out")}).exit_status, 1);
  EXPECT_EQ(read_text(path("out/added.txt")), "mine too");

  expect_error({"compile", digits_, "-o", file("plain", "a file")},
               path("plain") + ": is a file; choose a folder for the output");
}

TEST_F(Program, AFullDiskLeavesTheOldFolder) {
  ASSERT_EQ(run({"compile", digits_, "-o", path("out")}).exit_status, 0);
  const std::string before = read_text(path("out/report.json"));
  // Files may not grow beyond 1 KiB: writing fails as on a full disk.
  const ProcessResult result = run_process({"/bin/sh", "-c",
                                            "trap '' XFSZ; ulimit -f 1; exec " + std::string(MOTE_PROGRAM) +
                                                " compile " + digits_ + " -o " + path("out")},
                                           std::chrono::seconds(60));
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.errors.find("cannot write the output: "), std::string::npos) << result.errors;
  EXPECT_NE(result.errors.find("File too large; nothing was changed\n"), std::string::npos) << result.errors;
  EXPECT_EQ(read_text(path("out/report.json")), before);
  EXPECT_EQ(names_in(folder_.path()), std::set<std::string>{"out"});
}

}  // namespace
}  // namespace mote
