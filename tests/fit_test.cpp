// SPDX-License-Identifier: Apache-2.0
// Verdicts and ways out on boards made for the purpose.
#include "fit/fit.hpp"

#include <gtest/gtest.h>

#include "support/models.hpp"
#include "support/net_writer.hpp"

namespace mote {
namespace {

// A board with these memories; nothing reserved.
Board board(std::vector<BoardMemory> memory) {
  Board result;
  result.name = "test";
  result.target = "cortex-m4f";
  result.clock_hz = 1'000'000;
  result.cycles_per_instruction = 2;
  result.memory = std::move(memory);
  result.sources = {{"cycles_per_instruction", "test"}};
  return result;
}

BoardMemory memory(std::string name, MemoryKind kind, int64_t bytes, double speed = 1, bool optional = false) {
  return {std::move(name), kind, bytes, speed, optional, ""};
}

struct Model {
  Plan plan;
  Need need;

  // Two buffers side by side, 600 and 400 bytes; the small one is the hot one.
  Model() {
    plan.buffers = {{600, 4, {0, 1}, 0}, {400, 4, {0, 1}, 600}};
    plan.names = {"large", "hot"};
    plan.arena_bytes = plan.lower_bound_bytes = 1000;
    need = {&plan, {600, 40000}, 5000, 1000, 100, 3000, 0};
  }
};

TEST(Assess, FitsWithRoom) {
  const Model model;
  const Assessment result = assess(
      board({memory("ram", MemoryKind::ram, 2000), memory("flash", MemoryKind::flash, 10000)}), model.need, false);
  EXPECT_EQ(result.verdict, Verdict::fits);
  EXPECT_EQ(result.flash_bytes, 6000);
  EXPECT_EQ(result.ram.at(0).used_bytes(), 1100);
  EXPECT_DOUBLE_EQ(result.milliseconds, 3000 * 2 / 1000.0);
}

TEST(Assess, TightAboveNineTenthsAndWithinTheEstimatesError) {
  Model model;
  const auto verdict = [&](int64_t ram, int64_t flash) {
    return assess(board({memory("ram", MemoryKind::ram, ram), memory("flash", MemoryKind::flash, flash)}),
                  model.need, false)
        .verdict;
  };
  EXPECT_EQ(verdict(1223, 10000), Verdict::fits);
  EXPECT_EQ(verdict(1220, 10000), Verdict::tight);
  EXPECT_EQ(verdict(1100, 10000), Verdict::tight);
  EXPECT_EQ(verdict(1099, 10000), Verdict::does_not_fit);
  EXPECT_EQ(verdict(2000, 6000), Verdict::tight);
  EXPECT_EQ(verdict(2000, 5999), Verdict::does_not_fit);
  EXPECT_EQ(verdict(2000, 7000), Verdict::fits);
  model.need.code_error = 2;  // the code may take three times the estimate: 1000 B of room are not enough
  EXPECT_EQ(verdict(2000, 7000), Verdict::tight);
}

TEST(Assess, SaysByHowMuch) {
  const Model model;
  const Assessment result = assess(
      board({memory("ram", MemoryKind::ram, 900), memory("flash", MemoryKind::flash, 5500)}), model.need, false);
  EXPECT_EQ(result.ram_missing_bytes, 200);
  EXPECT_EQ(result.flash_missing_bytes, 500);
}

TEST(Assess, StackAndReserveMayLiveBesideTheArena) {
  const Model model;
  Board two = board({memory("big", MemoryKind::ram, 1300), memory("small", MemoryKind::ram, 300),
                     memory("flash", MemoryKind::flash, 10000)});
  two.reserved_ram_bytes = 150;
  const Assessment result = assess(two, model.need, false);
  EXPECT_EQ(result.verdict, Verdict::fits);
  EXPECT_FALSE(result.split);
  EXPECT_EQ(result.ram.at(0).arena_bytes, 1000);
  EXPECT_EQ(result.ram.at(1).used_bytes(), 250);
}

TEST(Assess, SpreadsTheArenaAndKeepsHotBuffersInside) {
  const Model model;
  const Board outside = board({memory("ram", MemoryKind::ram, 800), memory("flash", MemoryKind::flash, 10000),
                               memory("psram", MemoryKind::external_ram, 100000, 0.1, true)});
  EXPECT_EQ(assess(outside, model.need, false).verdict, Verdict::does_not_fit);
  const Assessment result = assess(outside, model.need, true);
  EXPECT_EQ(result.verdict, Verdict::fits);
  EXPECT_TRUE(result.split);
  ASSERT_EQ(result.ram.size(), 2U);
  EXPECT_EQ(result.ram[0].buffers, std::vector<size_t>{1});  // the hot one
  EXPECT_EQ(result.ram[1].buffers, std::vector<size_t>{0});
  EXPECT_EQ(result.external_bytes, 600);
  // 600 bytes at a quarter of (10 - 1) cycles each.
  EXPECT_DOUBLE_EQ(result.milliseconds, (3000 * 2 + 600 * 9 / 4.0) / 1000);
}

TEST(Fit, AnExactMeasurementReplacesTheEstimate) {
  const Compiled model = compile_file(test::digits_model());
  const Board one = board({memory("ram", MemoryKind::ram, 1 << 16), memory("flash", MemoryKind::flash, 1 << 16)});
  const ModelFit guess = fit_boards(model, {one}, Mode::balanced);
  EXPECT_FALSE(guess.boards.at(0).exact);
  int calls = 0;
  const ModelFit exact = fit_boards(model, {one, one}, Mode::balanced, [&](const Compiled&, const Target& target) {
    EXPECT_EQ(target.name, "cortex-m4f");
    ++calls;
    return std::optional(ExactCost{111, 22, 3333});
  });
  EXPECT_EQ(calls, 1) << "once for each target";
  EXPECT_TRUE(exact.boards.at(1).exact);
  EXPECT_EQ(exact.boards[1].code_bytes, 111);
  EXPECT_EQ(exact.boards[1].now.flash_bytes, exact.boards[1].weight_bytes + 111);
  EXPECT_DOUBLE_EQ(exact.boards[1].now.milliseconds, 3333 * 2 / 1000.0);
}

// A network whose weights have that many steps on either side of 0.
Compiled net_with_weights(int64_t limit) {
  test::NetWriter net(7);
  net.limit_weights(limit);
  const int x = net.conv(net.depthwise(net.conv(net.image(16, 16, 3), 20, 3, 2), 3, 1), 37, 1, 1);
  return compile_model(net.finish({net.dense(net.mean(x), 50)}), "net");
}

TEST(Fit, FourBitAndTernaryWeightsAreWhatTheCompilerWouldStore) {
  const ModelFit fit = fit_boards(net_with_weights(127), {}, Mode::balanced);
  EXPECT_EQ(fit.weight_bytes, flash_data(net_with_weights(127).plan).weight_bytes);
  EXPECT_EQ(fit.four_bit_weight_bytes, flash_data(net_with_weights(7).plan).weight_bytes);
  EXPECT_EQ(fit.ternary_weight_bytes, flash_data(net_with_weights(1).plan).weight_bytes);
  EXPECT_LT(fit.ternary_weight_bytes, fit.four_bit_weight_bytes);
  EXPECT_LT(fit.four_bit_weight_bytes, fit.weight_bytes);
}

TEST(Fit, NoWayOutThatGoesBeyondOneThatFits) {
  const Compiled model = compile_file(test::digits_model());
  ModelFit all = fit_boards(
      model, {board({memory("ram", MemoryKind::ram, 1 << 16), memory("flash", MemoryKind::flash, 1 << 20)})},
      Mode::size);
  const int64_t code = all.boards.at(0).code_bytes;
  // Room for 4-bit weights with a wide margin, not for 8-bit ones.
  const int64_t flash = all.weight_bytes + code - 1;
  const ModelFit fit = fit_boards(
      model, {board({memory("ram", MemoryKind::ram, 1 << 16), memory("flash", MemoryKind::flash, flash)})},
      Mode::size);
  const auto& found = fit.boards.at(0).alternatives;
  EXPECT_EQ(fit.boards[0].now.verdict, Verdict::does_not_fit);
  ASSERT_FALSE(found.empty());
  const bool fits = found[0].what == "4-bit weights" && found[0].result.verdict == Verdict::fits;
  EXPECT_EQ(found.size(), fits ? 1U : 2U);
}

}  // namespace
}  // namespace mote
