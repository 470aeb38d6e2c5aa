// SPDX-License-Identifier: Apache-2.0
// C and C++ functions are loaded into emulated boards and called, beside what this machine computes.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "device/agent_firmware.hpp"
#include "device/connect.hpp"
#include "device/function_program.hpp"
#include "device/loader.hpp"
#include "emulate/process.hpp"
#include "support/loaded_function.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

using test::array_of;
using test::write_source;

class EmulatedFunction : public testing::TestWithParam<std::string> {
 protected:
  // Patient: the machine that runs the tests may have much else to do.
  EmulatedFunction()
      : device_(connect("qemu:" + GetParam()),
                {.repeat = std::chrono::seconds(1), .give_up = std::chrono::seconds(60)}) {}

  void load(const std::string& file, const std::string& text, const std::string& function,
            const std::vector<std::string>& outputs = {}) {
    options_.request = write_source(folder_, file, "#include <stdint.h>\n#include <stddef.h>\n" + text, function);
    options_.request.outputs = outputs;
    made_ = compile_function_for_device(options_, find_target(GetParam()), ObjectCache(std::nullopt));
    report_ = load_program(device_, made_.program);
  }
  Returned call(const std::vector<CallArgument>& arguments, const CallOptions& options = {}) {
    return call_function(device_, report_.model, made_.signature, arguments, options);
  }
  std::string error(const std::vector<CallArgument>& arguments, const CallOptions& options = {}) {
    try {
      (void)call(arguments, options);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  }

  TemporaryDirectory folder_;
  Device device_;
  FunctionOptions options_;
  FunctionProgram made_;
  LoadReport report_;
};

TEST_P(EmulatedFunction, FiltersAsThisMachineDoes) {
  const std::string text =
      "int32_t fir(const int16_t* x, size_t n, const int16_t* taps, size_t count, int32_t* y) {\n"
      "  int32_t most = 0;\n  for (size_t i = 0; i + count <= n; ++i) {\n    int32_t sum = 0;\n"
      "    for (size_t k = 0; k < count; ++k) sum += x[i + k] * taps[k];\n    y[i] = sum;\n"
      "    if (sum > most) most = sum;\n  }\n  return most;\n}\n";
  options_.frame_bytes = 40'000;
  load("fir.c", text, "fir", {"y"});
  FunctionRequest host = options_.request;
  const test::LoadedFunction here(host);
  std::vector<int16_t> x(5000), taps{3, -7, 11, 400};
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int16_t>(i * 40503U >> 4);
  const std::vector<CallArgument> arguments{array_of(Scalar::int16, x), Number(uint64_t{5000}),
                                            array_of(Scalar::int16, taps), Number(uint64_t{4}),
                                            OutputLength{4997}};
  const Returned there = call(arguments), expected = here.call(arguments);
  EXPECT_EQ(*there.result, *expected.result);
  EXPECT_EQ(there.arrays.at(0).values.data, expected.arrays.at(0).values.data);
}

// What the competition gets wrong without a word: 64 bits, doubles, and the order of what is passed.
TEST_P(EmulatedFunction, PassesEveryType) {
  load("all.cpp",
       "namespace all { double mix(bool b, int8_t i8, uint64_t u64, float f, int16_t i16, double d, int64_t i64, "
       "uint8_t u8,\n"
       "                           uint16_t* u16, double* many) {\n"
       "  u16[0] = static_cast<uint16_t>(u64 >> 48); u16[1] = static_cast<uint16_t>(u64);\n"
       "  many[0] = static_cast<double>(i64); many[1] = d / 3; many[2] = b ? f : -f; many[3] = i8 * 1000 + i16; "
       "many[4] = u8;\n"
       "  return d * static_cast<double>(f) + static_cast<double>(i64 % 1000003); } }\n",
       "all::mix", {"many"});
  const Returned back =
      call({Number(int64_t{1}), Number(int64_t{-128}), Number(uint64_t{0xFEDC'0000'0000'1234U}), Number(0.1F),
            Number(int64_t{-32768}), Number(-1e300), Number(std::numeric_limits<int64_t>::min() + 5),
            Number(int64_t{255}), array_of<uint16_t>(Scalar::uint16, {1, 2, 3}), OutputLength{5}});
  const double f = static_cast<double>(0.1F);
  EXPECT_EQ(std::get<double>(*back.result),
            -1e300 * f + static_cast<double>((std::numeric_limits<int64_t>::min() + 5) % 1000003));
  EXPECT_EQ(back.arrays.at(0).values.data, to_bytes(std::vector<uint16_t>{0xFEDC, 0x1234, 3}));
  EXPECT_EQ(back.arrays.at(1).values.data,
            to_bytes(std::vector<double>{static_cast<double>(std::numeric_limits<int64_t>::min() + 5), -1e300 / 3,
                                         f, -128 * 1000 - 32768, 255}));
}

TEST_P(EmulatedFunction, RunsConstructorsOnceAndKeepsItsVariables) {
  load(
      "state.cpp",
      "struct Table { int32_t squares[100]; Table() { for (int32_t i = 0; i < 100; ++i) squares[i] = i * i; } };\n"
      "static Table table;\nstatic int32_t calls = 40;\n"
      "int32_t square(uint8_t i) { ++calls; return table.squares[i] * 1000 + calls; }\n",
      "square");
  EXPECT_EQ(made_.program.start, "mote_start");
  EXPECT_EQ(std::get<int64_t>(*call({Number(int64_t{99})}).result), 9801041);
  EXPECT_EQ(std::get<int64_t>(*call({Number(int64_t{2})}).result), 4042);
}

TEST_P(EmulatedFunction, StaysWithinTheStackThatItIsGiven) {
  load("deep.c",
       "static __attribute__((noinline)) double sum(const double* x) { double s = 0; for (int i = 0; i < 60; ++i) "
       "s += x[i]; return s; }\n"
       "double deep(double seed) { volatile double x[60]; for (int i = 0; i < 60; ++i) x[i] = seed * i; return "
       "sum((const double*)x); }\n",
       "deep");
  ASSERT_TRUE(made_.stack.bytes) << made_.stack.problem;
  EXPECT_GE(*made_.stack.bytes, 480);
  EXPECT_EQ(made_.program.start, "");
  CallOptions paint;
  paint.paint_stack = true;
  EXPECT_EQ(std::get<double>(*call({Number(2.0)}, paint).result), 2.0 * 59 * 30);
  const uint32_t used = device_.profile().stack_bytes;
  EXPECT_GE(used, 480U);
  EXPECT_LE(used, made_.program.stack_bytes);
}

TEST_P(EmulatedFunction, RecursionIsSaidAndStoppedWhenTooDeep) {
  load("recursive.c",
       "static __attribute__((noinline)) int32_t down(int32_t n, volatile int32_t* above) {\n"
       "  volatile int32_t here[8];\n  here[0] = n;\n  if (n == 0) return *above;\n"
       "  const int32_t deeper = down(n - 1, here);\n  return deeper + here[0] - n + 1;\n}\n"
       "int32_t depth(int32_t n) { volatile int32_t zero = 1; return down(n, &zero); }\n",
       "depth");
  EXPECT_FALSE(made_.stack.bytes);
  EXPECT_NE(made_.stack.problem.find("down"), std::string::npos) << made_.stack.problem;
  EXPECT_EQ(std::get<int64_t>(*call({Number(int64_t{50})}).result), 51);
  const std::string problem = error({Number(int64_t{100'000'000})});
  EXPECT_NE(problem.find("stack overflow: it has 8192 B"), std::string::npos) << problem;
  EXPECT_EQ(std::get<int64_t>(*call({Number(int64_t{60})}).result), 61);
}

TEST_P(EmulatedFunction, LogsAndIsAskedHowFarItIs) {
  load("work.c",
       "#include \"mote/services.h\"\n"
       "uint32_t work(uint32_t n) { mote_log(\"begin\\n\"); mote_progress(1, n); char text[8] = \"end\"; "
       "mote_log(text); return n; }\n",
       "work");
  EXPECT_EQ(std::get<int64_t>(*call({Number(int64_t{7})}).result), 7);
  uint32_t position = 0;
  EXPECT_EQ(device_.log(position), "begin\nend");
}

TEST_P(EmulatedFunction, AWrongPointerIsAnErrorAndNoMore) {
  load("wild.c", "int32_t peek(const int32_t* x, uint32_t at) { return x[at]; }\n", "peek");
  const std::vector<CallArgument> good{array_of<int32_t>(Scalar::int32, {5, 6}), Number(int64_t{1})};
  EXPECT_EQ(std::get<int64_t>(*call(good).result), 6);
  EXPECT_NE(error({array_of<int32_t>(Scalar::int32, {5}), Number(int64_t{0x3000'0000})}).find("peek failed"),
            std::string::npos);
  EXPECT_EQ(std::get<int64_t>(*call(good).result), 6);
}

TEST_P(EmulatedFunction, ALargerCallSaysHowToLoadIt) {
  load("sum.c", "int32_t sum(const int8_t* x, size_t n) { int32_t s = 0; while (n-- > 0) s += x[n]; return s; }\n",
       "sum");
  const std::vector<int8_t> x(2000, 3);
  EXPECT_EQ(error({array_of(Scalar::int8, x), Number(int64_t{2000})}),
            "sum: the arguments and results take 2,032 B; it was loaded for up to 1,024 B: load it again with a "
            "frame of 2032 B");
  options_.frame_bytes = 2032;
  load("sum.c", "int32_t sum(const int8_t* x, size_t n) { int32_t s = 0; while (n-- > 0) s += x[n]; return s; }\n",
       "sum");
  EXPECT_FALSE(report_.already_there);
  EXPECT_EQ(std::get<int64_t>(*call({array_of(Scalar::int8, x), Number(int64_t{2000})}).result), 6000);
}

TEST_P(EmulatedFunction, TheSameFunctionIsNotSentTwice) {
  const char* const text = "int32_t one(void) { return 1; }\n";
  load("one.c", text, "one");
  EXPECT_FALSE(report_.already_there);
  load("one.c", text, "one");
  EXPECT_TRUE(report_.already_there);
  load("one.c", "int32_t one(void) { return 2; }\n", "one");
  EXPECT_FALSE(report_.already_there);
  EXPECT_EQ(std::get<int64_t>(*call({}).result), 2);
}

ProcessResult mote_function(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{MOTE_PROGRAM, "device", "function", MOTE_SOURCE_DIR "/examples/function/fir.c",
                                   "fir"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--device", "qemu:rv32imac"});
  return run_process(command, std::chrono::seconds(120));
}

TEST(FunctionCommand, LoadsCallsAndPrints) {
  const ProcessResult json =
      mote_function({"1,2,3,4", "4", "3,-1", "2", "3", "--out", "y", "--profile", "--json"});
  ASSERT_EQ(json.exit_status, 0) << json.errors;
  const nlohmann::json result = nlohmann::json::parse(json.output);
  EXPECT_EQ(result["result"], 5);
  EXPECT_EQ(result["arrays"].dump(), R"({"y":[1,3,5]})");
  EXPECT_EQ(result["model"]["name"], "fir");
  EXPECT_GT(result["profile"]["instructions"], 50);
  const ProcessResult text =
      mote_function({"1,2", "2", "1", "1", "-1,-1", "--flags", "-O0", "--inspect", "--disassemble", "fir"});
  EXPECT_EQ(text.exit_status, 0) << text.errors;
  for (const char* const wanted :
       {"\nfir = 2\ny = 1 2\n", "\nmemory map\n", "<fir>:", "sum += x[i + k] * taps[k];"}) {
    EXPECT_NE(text.output.find(wanted), std::string::npos) << wanted << text.output;
  }
}

TEST(FunctionCommand, SaysWhatIsWrong) {
  const ProcessResult range = mote_function({"1,400000", "2", "1", "1", "-1,-1"});
  EXPECT_NE(range.exit_status, 0);
  EXPECT_EQ(range.errors,
            "mote: error: fir: parameter 'x' (const int16_t *): 400000 does not fit; it takes -32768 to 32767\n");
  EXPECT_NE(mote_function({"1"}).errors.find("fir takes 5 arguments, not 1: int32_t fir(const int16_t *x, "),
            std::string::npos);
}

// Symbols of the running firmware, with its rights, and only of that very build.
TEST(FunctionInFirmware, UsesItsSymbols) {
  const Target& target = find_target("rv32imac");
  const TemporaryDirectory folder, other_folder;
  const AgentFirmware firmware = build_agent(target, folder.path());
  Device device(process_transport(agent_command(target, firmware.program, "stdio"), "board"),
                {.repeat = std::chrono::seconds(1), .give_up = std::chrono::seconds(60)});
  FunctionOptions options;
  options.request = write_source(folder, "id.c",
                                 "#include <stdint.h>\nextern const uint8_t agent_build_id[];\n"
                                 "uint8_t id(uint32_t i) { return agent_build_id[i]; }\n",
                                 "id");
  const ObjectCache cache(std::nullopt);
  EXPECT_THROW((void)compile_function_for_device(options, target, cache), Error);  // nobody defines the symbol
  options.firmware = firmware.program;
  const FunctionProgram made = compile_function_for_device(options, target, cache);
  const LoadReport report = load_program(device, made.program);
  std::string id;
  for (int64_t i = 0; i < 20; ++i)
    id +=
        fmt::format("{:02x}", std::get<int64_t>(*call_function(device, report.model, made.signature, {i}).result));
  EXPECT_EQ(id, device.info().firmware_id);

  options.firmware = build_agent(find_target("rv32imafc"), other_folder.path()).program;
  options.name = "other";
  const FunctionProgram wrong = compile_function_for_device(options, target, cache);
  try {
    (void)load_program(device, wrong.program);
    FAIL() << "code for another firmware was loaded";
  } catch (const Error& problem) {
    EXPECT_NE(std::string(problem.what()).find("on the device runs " + device.info().firmware_id),
              std::string::npos)
        << problem.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, EmulatedFunction, testing::Values("rv32imac", "rv32imafc", "cortex-m4f"),
                         [](const auto& info) { return info.param == "cortex-m4f" ? "cortex_m4f" : info.param; });

}  // namespace
}  // namespace mote
