// SPDX-License-Identifier: Apache-2.0
// Weights of few bits on an emulated core: the flash they save, and that they cost no speed.
#include <gtest/gtest.h>

#include "measure/measure.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

struct NetRun {
  Measurement measured;
  double instructions_per_mac;
};

// On random inputs, whose outputs must be the simulator's.
NetRun run(const Bytes& file, const Target& target, Mode mode) {
  const Compiled model = compile_model(file, "net", {}, plan_options(mode, target.core));
  std::mt19937 random(1);
  const std::vector<std::vector<Bytes>> inputs{random_case(model.graph, random, "narrow").inputs};
  NetRun result{measure(model, target, mode, inputs, false), 0};
  EXPECT_EQ(result.measured.outputs, measure(model, find_target("host"), mode, inputs, false).outputs);
  const auto instructions = static_cast<double>(result.measured.instructions[0]);
  result.instructions_per_mac = instructions / static_cast<double>(total_macs(model.graph));
  return result;
}

Bytes dense_net(int64_t limit) {
  test::NetWriter net(3);
  net.limit_weights(limit);
  return net.finish({net.dense(net.dense(net.image(28, 28, 1), 100), 10)});
}

Bytes image_net(int64_t limit) {
  test::NetWriter net(5);
  net.limit_weights(limit);
  int x = net.conv(net.image(24, 24, 4), 16, 3, 2);
  for (const int64_t channels : {24, 30}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  return net.finish({net.dense(net.mean(net.conv(x, 32, 3, 1)), 10)});
}

class NarrowWeights : public testing::TestWithParam<Mode> {};

TEST_P(NarrowWeights, ATernaryDenseNetworkTakesAQuarterOfTheFlashAndLooksSumsUp) {
  const NetRun ternary = run(dense_net(1), find_target("rv32imac"), GetParam());
  EXPECT_LT(ternary.measured.sizes->weight_bytes + ternary.measured.sizes->code_bytes, 24 * 1024);
  EXPECT_LE(ternary.instructions_per_mac, GetParam() == Mode::size ? 1.65 : 1.5);
}

TEST_P(NarrowWeights, FourBitsAreNotSlowerThanEight) {
  const Target& target = find_target("rv32imac");
  for (const auto net : {dense_net, image_net}) {
    const NetRun wide = run(net(127), target, GetParam()), narrow = run(net(7), target, GetParam());
    EXPECT_LE(narrow.instructions_per_mac, wide.instructions_per_mac);
    EXPECT_LT(narrow.measured.sizes->weight_bytes, wide.measured.sizes->weight_bytes * 6 / 10);
  }
}

// A core that multiplies pairs of bytes' products at once gets bytes, unless size is what matters.
TEST_P(NarrowWeights, AreWidenedWhereAnExtensionIsFaster) {
  const Target& target = find_target("cortex-m4f");
  const int64_t wide = run(dense_net(127), target, GetParam()).measured.sizes->weight_bytes;
  const int64_t narrow = run(dense_net(7), target, GetParam()).measured.sizes->weight_bytes;
  EXPECT_EQ(narrow < wide * 6 / 10, GetParam() == Mode::size) << narrow << " of " << wide << " B";
}

// Its first layers are wide.
Bytes wide_net(int64_t limit) {
  test::NetWriter net(11);
  net.limit_weights(limit);
  int x = net.conv(net.image(40, 40, 3), 16, 3, 2);
  for (const int64_t channels : {24, 32, 32}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  return net.finish({net.mean(net.conv(net.depthwise(x, 3, 2), 12, 1, 1))});
}

TEST(NarrowWeightsInStrips, TakeTheArenaThatBytesTake) {
  const PlanOptions options = plan_options(Mode::size, find_target("rv32imac").core);
  const Plan narrow = compile_model(wide_net(7), "net", {}, options).plan;
  ASSERT_FALSE(narrow.segments.empty());
  run(wide_net(7), find_target("rv32imac"), Mode::size);
  EXPECT_EQ(narrow.arena_bytes, compile_model(wide_net(127), "net", {}, options).plan.arena_bytes);
}

INSTANTIATE_TEST_SUITE_P(Modes, NarrowWeights, testing::Values(Mode::size, Mode::balanced, Mode::speed),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace mote
