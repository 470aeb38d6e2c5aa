// SPDX-License-Identifier: Apache-2.0
// Models with known results, instruction counts and stack use, on every emulated target.
#include <gtest/gtest.h>

#include <numeric>

#include "base/temporary_directory.hpp"
#include "emulate/build.hpp"
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
      EXPECT_EQ(result.outputs[i].at(0).at(byte), static_cast<std::byte>(static_cast<uint8_t>(
                                                      static_cast<uint8_t>(asked.cases[i][0][0]) + byte + 1)));
    }
  }
  EXPECT_EQ(result.instructions[0], result.instructions[1]);
  EXPECT_EQ(result.instructions[0], result.instructions[2]);
  ASSERT_EQ(result.step_instructions.size(), 2u);
  EXPECT_NE(result.console.find("STACK_PEAK="), std::string::npos);
  std::printf("%ld instr, steps %ld %ld, code %ld weights %ld harness %ld stack %ld/%ld bound %ld\n", result.instructions[0],
              result.step_instructions[0], result.step_instructions[1], result.code_bytes, result.weight_bytes,
              result.harness_bytes, result.stack_peak_bytes, result.stack_total_bytes, result.stack_bound_bytes);
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
  EXPECT_LE(result.stack_peak_bytes, result.stack_bound_bytes);
  std::printf("%ld instr, code %ld weights %ld harness %ld stack %ld/%ld bound %ld\n", result.instructions[0],
              result.code_bytes, result.weight_bytes,
              result.harness_bytes, result.stack_peak_bytes, result.stack_total_bytes, result.stack_bound_bytes);
}

}  // namespace
}  // namespace mote
