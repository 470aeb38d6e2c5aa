// SPDX-License-Identifier: Apache-2.0
// Models with known results, instruction counts and stack use, on every emulated target.
#include <gtest/gtest.h>

#include <numeric>

#include "base/temporary_directory.hpp"
#include "emulate/emulate.hpp"
#include "support/tiny_model.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

std::vector<std::string> emulated_targets() {
  std::vector<std::string> names;
  for (const Target* const target : target::all()) {
    if (!target->emulator.empty()) names.emplace_back(target->name);
  }
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class EmulateRun : public testing::TestWithParam<std::string> {
 protected:
  EmulateRequest request(const std::string& name, int input_bytes, int output_bytes, int steps,
                         const std::string& body) {
    test::write_tiny_model(folder_.path(), name, input_bytes, output_bytes, steps, body);
    return EmulateRequest{.target = find_target(GetParam()),
                          .model_directory = folder_.path(),
                          .name = name,
                          .input_bytes = {input_bytes},
                          .output_bytes = {output_bytes},
                          .steps = static_cast<size_t>(steps),
                          .cases = {},
                          .continues = {},
                          .optimize = "",
                          .profile = false,
                          .timeout = std::chrono::seconds(60)};
  }
  TemporaryDirectory folder_;
};
INSTANTIATE_TEST_SUITE_P(Targets, EmulateRun, testing::ValuesIn(emulated_targets()), test_name);

// Adds a weight to every byte, in place, then copies: the input is overwritten by the run.
const char* const add_body = R"(
static const uint8_t add_weights_0[5] = {1, 2, 3, 4, 5};
__attribute__((noinline)) static void add_step0(uint8_t* in) { for (int i = 0; i < 5; ++i) in[i] += add_weights_0[i]; }
__attribute__((noinline)) static void add_step1(uint8_t* in, uint8_t* out) { for (int i = 0; i < 5; ++i) out[i] = in[i]; }
extern "C" void add_run(void* arena) {
  add_step0((uint8_t*)add_input0(arena));
  MOTE_AFTER_STEP(0);
  add_step1((uint8_t*)add_input0(arena), (uint8_t*)add_output0(arena));
  MOTE_AFTER_STEP(1);
}
)";

TEST_P(EmulateRun, OutputsOfEveryCase) {
  EmulateRequest asked = request("add", 5, 5, 2, add_body);
  for (const int value : {0, 100, 255}) {
    asked.cases.push_back({Bytes(5, static_cast<std::byte>(value))});
  }
  asked.profile = true;
  const EmulateResult result = emulate(asked);
  ASSERT_EQ(result.outputs.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    for (uint8_t byte = 0; byte < 5; ++byte) {
      EXPECT_EQ(
          result.outputs[i].at(0).at(byte),
          static_cast<std::byte>(static_cast<uint8_t>(static_cast<uint8_t>(asked.cases[i][0][0]) + byte + 1)));
    }
  }
  EXPECT_EQ(result.instructions[0], result.instructions[1]);
  EXPECT_EQ(result.instructions[0], result.instructions[2]);
  ASSERT_EQ(result.step_instructions.size(), 2u);
  const int64_t steps = result.step_instructions[0] + result.step_instructions[1];
  EXPECT_GT(result.step_instructions[0], 5);
  EXPECT_GT(result.step_instructions[1], 5);
  EXPECT_LE(steps, result.instructions[0]);
  EXPECT_GE(steps, result.instructions[0] - 10);  // prologue and epilogue of the run itself
  EXPECT_NE(result.console.find("STACK_PEAK="), std::string::npos);
}

// Software floating point from libgcc, exponential from libm.
const char* const float_body = R"(
#include <math.h>
extern "C" void soft_run(void* arena) {
  float* in = (float*)soft_input0(arena);
  float* out = (float*)soft_output0(arena);
  out[0] = in[0] / in[1] + in[2] * in[3];
  out[1] = expf(in[0]);
  out[2] = sqrtf(in[1]) - in[0];
}
)";

TEST_P(EmulateRun, LibraryMembersBelongToTheModel) {
  EmulateRequest asked = request("soft", 16, 12, 1, float_body);
  const std::vector<float> input{1.5f, 0.25f, 3.0f, -7.0f};
  asked.cases.push_back({to_bytes(input)});
  const EmulateResult result = emulate(asked);
  const std::vector<float> output = to_values<float>(result.outputs.at(0).at(0));
  EXPECT_EQ(output.at(0), -15.0f);
  EXPECT_NEAR(output.at(1), 4.4816890703, 1e-6);
  EXPECT_EQ(output.at(2), -1.0f);
  EXPECT_GT(result.stack_peak_bytes, 0);
  EXPECT_LE(result.stack_peak_bytes, result.stack_bound_bytes);
  EXPECT_GT(result.code_bytes, 300);  // an exponential at least
  EXPECT_EQ(result.weight_bytes, 0);
}

// `count` times two instructions, in assembly: nothing that a compiler could change.
const char* const loop_body = R"(
#if defined(__riscv)
#define LOOP "1: addi %0, %0, -1\n\tbnez %0, 1b"
#elif defined(__arm__) && __ARM_ARCH == 6
#define LOOP "1: sub %0, %0, #1\n\tbne 1b"
#elif defined(__arm__)
#define LOOP "1: subs %0, %0, #1\n\tbne 1b"
#else
#define LOOP "1: addi %0, %0, -1\n\tbnez %0, 1b"
#endif
static void spin(uint32_t count) { asm volatile(LOOP : "+r"(count) : : "cc"); }
extern "C" void loop_run(void* arena) { spin(*(uint32_t*)loop_input0(arena)); }
)";

TEST_P(EmulateRun, InstructionsAreCountedExactly) {
  EmulateRequest asked = request("loop", 4, 4, 1, loop_body);
  const std::vector<uint32_t> counts{1, 2, 3, 7, 100, 1001, 54321, 3000000, 1};
  for (const uint32_t count : counts) asked.cases.push_back({to_bytes(std::vector<uint32_t>{count})});
  const EmulateResult result = emulate(asked);
  for (size_t i = 0; i < counts.size(); ++i) {
    EXPECT_EQ(result.instructions[i] - result.instructions[0], 2 * (static_cast<int64_t>(counts[i]) - 1))
        << counts[i];
  }
  EXPECT_GE(result.instructions[0], 4);  // load, two of the loop, return
  EXPECT_LE(result.instructions[0], 5);
  EXPECT_EQ(result.stack_peak_bytes, 0);
}

// A virtual clock so fast that every counter wraps: longer runs would take minutes.
TEST_P(EmulateRun, CountersThatWrapAreStillExact) {
  Target fast = find_target(GetParam());
  if (fast.counter_ns != 1) fast.icount_shift = 10;  // rv32's counter has 64 bits
  const EmulateRequest base = request("loop", 4, 4, 1, loop_body);
  const std::vector<uint32_t> counts{1, 51234567, 100000001};  // 2^32 ticks are at most 210 million instructions
  EmulateRequest asked{.target = fast,
                       .model_directory = base.model_directory,
                       .name = base.name,
                       .input_bytes = base.input_bytes,
                       .output_bytes = base.output_bytes,
                       .steps = base.steps,
                       .cases = {},
                       .continues = {},
                       .optimize = "",
                       .profile = false,
                       .timeout = base.timeout};
  for (const uint32_t count : counts) asked.cases.push_back({to_bytes(std::vector<uint32_t>{count})});
  const EmulateResult result = emulate(asked);
  for (size_t i = 0; i < counts.size(); ++i) {
    EXPECT_EQ(result.instructions[i] - result.instructions[0], 2 * (static_cast<int64_t>(counts[i]) - 1))
        << counts[i];
  }
}

// A chain of calls, each with an array that is written to its last byte.
const char* const deep_body = R"(
template <int depth> __attribute__((noinline)) static uint32_t deep(uint32_t value) {
  volatile uint32_t array[25];
  for (int i = 0; i < 25; ++i) array[i] = value + i;
  return deep<depth - 1>(array[value & 15]) + array[0];
}
template <> __attribute__((noinline)) uint32_t deep<0>(uint32_t value) { return value; }
extern "C" void deep_run(void* arena) { *(uint32_t*)deep_output0(arena) = deep<8>(*(uint32_t*)deep_input0(arena)); }
)";

TEST_P(EmulateRun, PaintedStackStaysWithinTheBound) {
  EmulateRequest asked = request("deep", 4, 4, 1, deep_body);
  for (uint32_t value = 0; value < 3; ++value) asked.cases.push_back({to_bytes(std::vector<uint32_t>{value})});
  const EmulateResult result = emulate(asked);
  EXPECT_GE(result.stack_peak_bytes, 8 * 100);
  EXPECT_LE(result.stack_peak_bytes, result.stack_bound_bytes);
  EXPECT_GE(result.stack_peak_bytes, result.stack_bound_bytes - 64);
  EXPECT_LE(result.stack_bound_bytes, 8 * (100 + 48) + 64);
}

TEST_P(EmulateRun, WeightsCodeAndVariables) {
  const std::string body = R"(
extern const int8_t big_weights_0[5000] = {1, 2, 3};
extern const int8_t table_0[300] = {4, 5, 6};
__attribute__((noinline)) static void big_step0(void* arena) {
  *(int8_t*)big_output0(arena) = (int8_t)(big_weights_0[*(uint8_t*)big_input0(arena)] + table_0[*(uint8_t*)big_input0(arena)]);
}
extern "C" void big_run(void* arena) { big_step0(arena); MOTE_AFTER_STEP(0); }
)";
  EmulateRequest asked = request("big", 1, 1, 1, body);
  asked.cases.push_back({Bytes{std::byte{2}}});
  const EmulateResult result = emulate(asked);
  EXPECT_EQ(result.outputs[0][0][0], std::byte{9});
  EXPECT_GE(result.weight_bytes, 5000);
  EXPECT_LT(result.weight_bytes, 5016);
  EXPECT_GE(result.code_bytes, 300 + 8);
  EXPECT_LT(result.code_bytes, 300 + 100);
  ASSERT_EQ(result.step_code_bytes.size(), 1u);
  EXPECT_GT(result.step_code_bytes[0], 4);
  EXPECT_LT(result.step_code_bytes[0], 64);
  EXPECT_GT(result.harness_bytes, 500);
}

std::string error_of(const EmulateRequest& asked) {
  try {
    (void)emulate(asked);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_P(EmulateRun, FaultNamesPlaceAndAddress) {
  EmulateRequest asked = request("wild", 4, 4, 1,
                                 "extern \"C\" void wild_run(void* arena) {\n"
                                 "  *(uint32_t*)wild_output0(arena) = *(volatile uint32_t*)0xfdead000u;\n}");
  asked.cases.push_back({Bytes(4)});
  const std::string text = error_of(asked);
  EXPECT_TRUE(text.starts_with("the model stopped in the emulator: ")) << text;
  EXPECT_NE(text.find("address 0xfdead000"), std::string::npos) << text;
  EXPECT_EQ(text.find("pc 0x00000000"), std::string::npos) << text;
}

TEST_P(EmulateRun, EndlessLoopIsStopped) {
  EmulateRequest asked =
      request("endless", 4, 4, 1, "extern \"C\" void endless_run(void*) { for (;;) asm volatile(\"\"); }");
  asked.cases.push_back({Bytes(4)});
  asked.timeout = std::chrono::seconds(1);
  const std::string text = error_of(asked);
  EXPECT_TRUE(text.starts_with("endless did not finish within 1 s in qemu-system-")) << text;
}

TEST_P(EmulateRun, StackWithoutABoundIsRefused) {
  EmulateRequest asked =
      request("loops", 4, 4, 1,
              "__attribute__((noinline)) static int again(int n) { volatile int v = n; return n < 1 ? v "
              ": again(n - 1) * 3 + again(v - 2); }\n"
              "extern \"C\" void loops_run(void* a) { *(int*)a = again(*(int*)a); }");
  asked.cases.push_back({Bytes(4)});
  EXPECT_EQ(error_of(asked), "the stack has no bound: _ZL5againi and _ZL5againi call each other");
  const EmulateRequest pointer = request(
      "pointer", 4, 4, 1, "extern \"C\" void pointer_run(void* a) { (*(void (**)(int))a)(1); *(int*)a = 1; }");
  EXPECT_EQ(error_of(pointer), "the stack has no bound: pointer_run is called, and it calls through a pointer");
}

TEST_P(EmulateRun, VariablesOutsideTheArenaAreRefused) {
  EmulateRequest asked =
      request("state", 4, 4, 1, "static int count;\nextern \"C\" void state_run(void* a) { *(int*)a = ++count; }");
  const std::string text = error_of(asked);
  EXPECT_TRUE(text.starts_with("state has variables of 4 bytes besides its arena (.")) << text;
  EXPECT_TRUE(text.ends_with("bss._ZL5count); generated code must keep all state in the arena")) << text;
}

TEST_P(EmulateRun, StackThatDoesNotFitIsRefused) {
  EmulateRequest asked =
      request("huge", 4, 4, 1,
              "extern \"C\" void huge_run(void* a) { volatile char b[70000]; b[*(int*)a] = 1; *(int*)a = b[7]; }");
  asked.cases.push_back({Bytes(4)});
  const std::string text = error_of(asked);
  EXPECT_TRUE(text.starts_with("huge needs up to 700")) << text;
  EXPECT_TRUE(text.ends_with("bytes of stack; the emulated firmware has 65536")) << text;
}

}  // namespace
}  // namespace mote
