// SPDX-License-Identifier: Apache-2.0
// Two emulated cores: the bytes of one, in little more than half of its instructions each, counted repeatably.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fit/memories.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

PlanOptions options_of(Mode mode, const Target& target, int cores) {
  return plan_options(mode, target.core, {}, cores);
}

// Layers that are split, a mean that is not, and float layers, whose coroutines keep registers of their own.
Bytes small_net(DType dtype) {
  test::NetWriter net(4, dtype);
  int x = net.conv(net.image(20, 16, 3), 8, 3, 1);
  for (const int64_t channels : {12, 8}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  return net.finish({net.add(net.conv(net.maximum(x, 2, 2), 8, 1, 1), net.maximum(x, 2, 2)), net.mean(x)});
}

struct Way {
  std::string target;
  Mode mode;
  DType dtype;
};

class SmallNet : public testing::TestWithParam<Way> {};

TEST_P(SmallNet, RunsOnTwoCores) {
  const Target& target = find_target(GetParam().target);
  const Bytes file = small_net(GetParam().dtype);
  const Compiled one = compile_model(file, "net", {}, options_of(Mode::speed, target, 1));
  const Compiled two = compile_model(file, "net", {}, options_of(Mode::speed, target, 2));
  std::vector<std::vector<Bytes>> inputs, expected;
  std::mt19937 random(8);
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(random_case(one.graph, random, "cores").inputs);
    expected.push_back(simulate(one.graph, one.plan, inputs.back()));
  }
  const Measurement alone = measure(one, target, GetParam().mode, inputs, false);
  const Measurement both = measure(two, target, GetParam().mode, inputs, true);
  EXPECT_EQ(alone.outputs, expected);
  EXPECT_EQ(both.outputs, expected);
  EXPECT_LE(*both.stack_peak_bytes, both.sizes->stack_bound_bytes);
  EXPECT_GT(*both.stack_peak_bytes, 0);

  ASSERT_EQ(both.core_instructions.size(), 2U);
  const int64_t sum = both.core_instructions[0] + both.core_instructions[1];
  EXPECT_GT(sum, alone.instructions[0]) << "the same work, and some of it twice";
  EXPECT_LT(sum, alone.instructions[0] * 115 / 100);
  const int64_t slower = *std::max_element(both.core_instructions.begin(), both.core_instructions.end());
  EXPECT_LT(slower, alone.instructions[0] * 62 / 100);
  EXPECT_GE(both.instructions[0], slower) << "from barrier to barrier the slower core counts";
  EXPECT_LT(both.instructions[0], alone.instructions[0] * 65 / 100);

  // Step by step, another build: what is missing are the calls in between.
  ASSERT_EQ(both.core_step_instructions.size(), 2U);
  for (size_t core = 0; core < 2; ++core) {
    const std::vector<int64_t>& steps = both.core_step_instructions[core];
    const int64_t in_steps = std::accumulate(steps.begin(), steps.end(), int64_t{0});
    EXPECT_NEAR(static_cast<double>(in_steps), static_cast<double>(both.core_instructions[core]),
                20.0 * static_cast<double>(steps.size()));
  }
  const Measurement again = measure(two, target, GetParam().mode, inputs, false);
  EXPECT_EQ(again.core_instructions, both.core_instructions);
  EXPECT_EQ(again.instructions, both.instructions);
}

INSTANTIATE_TEST_SUITE_P(Ways, SmallNet,
                         testing::Values(Way{"rv32imac", Mode::balanced, DType::i8},
                                         Way{"rv32imac", Mode::speed, DType::i8},
                                         Way{"rv32imac", Mode::size, DType::i8},
                                         Way{"rv32imafc", Mode::balanced, DType::f32}),
                         [](const auto& info) {
                           return info.param.target + "_" + std::string(name(info.param.mode)) + "_" +
                                  std::string(name(info.param.dtype));
                         });

TEST(TwoCores, WhereTheMachineHasOneCoreItComputesBothParts) {
  const Target& target = find_target("cortex-m0plus");
  const Compiled two = compile_model(small_net(DType::i8), "net", {}, options_of(Mode::balanced, target, 2));
  std::mt19937 random(8);
  const std::vector<Bytes> inputs = random_case(two.graph, random, "cores").inputs;
  const Measurement measured = measure(two, target, Mode::balanced, {inputs}, false);
  EXPECT_EQ(measured.outputs, std::vector<std::vector<Bytes>>{simulate(two.graph, two.plan, inputs)});
  EXPECT_TRUE(measured.core_instructions.empty());
}

TEST(TwoCores, EachIsGivenAllArenas) {
  const Target& target = find_target("rv32imac");
  Compiled two = compile_model(small_net(DType::i8), "net", {}, options_of(Mode::balanced, target, 2));
  use_memories(two, {{4000, 1, "fast"}, {20'000, 2, "slow"}});
  ASSERT_EQ(two.plan.arenas.size(), 2U);
  std::mt19937 random(8);
  const std::vector<Bytes> inputs = random_case(two.graph, random, "cores").inputs;
  const Measurement measured = measure(two, target, Mode::balanced, {inputs}, false);
  EXPECT_EQ(measured.outputs, std::vector<std::vector<Bytes>>{simulate(two.graph, two.plan, inputs)});
}

class RealModel : public testing::TestWithParam<std::string> {};

TEST_P(RealModel, TakesLittleMoreThanHalfOnEachCore) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const std::filesystem::path path = shared / "models" / (GetParam() + ".tflite");
  const Target& target = find_target("rv32imac");
  const Compiled one = compile_file(path, {}, options_of(Mode::balanced, target, 1));
  const Compiled two = compile_file(path, {}, options_of(Mode::balanced, target, 2));
  std::vector<Case> cases = read_golden(shared / "golden" / GetParam(), two.graph);
  cases.resize(1);
  const Measurement alone = measure(one, target, Mode::balanced, inputs_of(cases), false);
  const Measurement both = measure(two, target, Mode::balanced, inputs_of(cases), false);
  const Comparison comparison = compare(two.graph, cases, both.outputs);
  EXPECT_EQ(comparison.equal_bytes, comparison.total_bytes) << comparison.first_difference;
  EXPECT_GT(comparison.total_bytes, 0);
  for (const int64_t instructions : both.core_instructions)
    EXPECT_LE(static_cast<double>(instructions), 0.58 * static_cast<double>(alone.instructions[0]));
}

INSTANTIATE_TEST_SUITE_P(Models, RealModel, testing::Values("nanou_botanicgarden", "vww_96_int8"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mote
