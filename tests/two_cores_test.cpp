// SPDX-License-Identifier: Apache-2.0
// Steps split over two cores: the same bytes in whatever order the cores come to them, no byte that one core
// writes and another uses at the same time, and the barrier between them.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "compile/compile.hpp"
#include "fit/memories.hpp"
#include "nn/barrier.hpp"
#include "plan/check_segments.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

using test::NetWriter;

PlanOptions two_cores(std::optional<int64_t> goal = {}) {
  PlanOptions options;
  options.cores = 2;
  options.arena_goal_bytes = goal;
  return options;
}

size_t split_steps_of(const Plan& plan) {
  return static_cast<size_t>(std::count_if(plan.segments.begin(), plan.segments.end(),
                                           [](const Segment& segment) { return segment.parallel; }));
}

void expect_equal_outputs(const Compiled& alone, const Compiled& both) {
  std::mt19937 random(3);
  const std::vector<Bytes> inputs = random_case(alone.graph, random, "cores").inputs;
  const std::vector<Bytes> expected = simulate_apart(alone.graph, alone.plan, inputs);
  for (const bool poison : {false, true})
    EXPECT_EQ(simulate(both.graph, both.plan, inputs, {.poison = poison, .after_step = {}}), expected);
  EXPECT_EQ(simulate_apart(both.graph, both.plan, inputs), expected);
}

// A 3x3 convolution, whose kernel takes scratch, and a depthwise one, each with rows at the split that both cores
// read.
Bytes two_layers() {
  NetWriter net(1);
  const int x = net.image(24, 20, 4);
  return net.finish({net.depthwise(net.conv(x, 4, 3, 1), 3, 1)});
}

TEST(TwoCores, EachTakesHalfOfTheRows) {
  const Compiled model = compile_model(two_layers(), "net", {}, two_cores());
  ASSERT_EQ(split_steps_of(model.plan), 2U);
  for (const Segment& segment : model.plan.segments) {
    EXPECT_EQ(segment.first, segment.last);
    EXPECT_EQ(segment.steps[0].done.at(-1), 0);
    EXPECT_EQ(segment.steps[0].done.at(0), 12);
    EXPECT_EQ(segment.steps[0].done.at(1), 24);
  }
  expect_equal_outputs(compile_model(two_layers(), "net"), model);
}

// On one core the output of the second layer takes its input's place, a row behind; the second core would
// overwrite rows that the first one reads.
TEST(TwoCores, SplitStepsDoNotOverwriteWhatTheyRead) {
  const Compiled alone = compile_model(two_layers(), "net");
  const Compiled both = compile_model(two_layers(), "net", {}, two_cores());
  const int64_t tensor = 24 * 20 * 4;
  EXPECT_LT(alone.plan.arena_bytes, 2 * tensor);
  EXPECT_GE(both.plan.arena_bytes, 2 * tensor);
  EXPECT_TRUE(both.plan.overlaps.empty());
}

TEST(TwoCores, RandomNetworksComputeTheSame) {
  size_t split = 0, smaller = 0;
  for (unsigned seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    const Bytes file = test::random_net(seed);
    const Compiled alone = compile_model(file, "net");
    const Compiled both = compile_model(file, "net", {}, two_cores());
    expect_equal_outputs(alone, both);
    split += split_steps_of(both.plan);
    // With a goal, splits stay within it; in row strips as well.
    for (const int64_t goal : {int64_t{0}, alone.plan.arena_bytes}) {
      PlanOptions one_core;
      one_core.arena_goal_bytes = goal;
      const Compiled fitting = compile_model(file, "net", {}, two_cores(goal));
      expect_equal_outputs(alone, fitting);
      EXPECT_LE(fitting.plan.arena_bytes,
                std::max(goal, compile_model(file, "net", {}, one_core).plan.arena_bytes));
      smaller += split_steps_of(fitting.plan) < split_steps_of(both.plan) ? 1 : 0;
    }
    if (HasFailure()) return;
  }
  EXPECT_GE(split, 30U);
  EXPECT_GE(smaller, 5U) << "goals that leave no room for every split";
}

void expect_rejected(const std::string& what, const std::function<void(Plan&)>& spoil) {
  Compiled model = compile_model(two_layers(), "net", {}, two_cores());
  EXPECT_NO_THROW(check_segments(model.graph, model.plan));
  model.plan.arena_bytes += 10'000;
  spoil(model.plan);
  EXPECT_THROW(check_segments(model.graph, model.plan), Error) << what;
}

TEST(TwoCores, SpoiltPlansAreRejected) {
  expect_rejected("scratch of both cores at one place", [](Plan& plan) { plan.segments[0].scratch_stride = 0; });
  expect_rejected("scratch beyond its buffer", [](Plan& plan) { plan.segments[0].scratch_stride *= 2; });
  expect_rejected("rows that nobody computes", [](Plan& plan) { --plan.segments[1].steps[0].done.rows; });
  expect_rejected("a parameter that belongs to the other core",
                  [](Plan& plan) { ++plan.segments[1].steps[0].fields.at(0).offset; });
  // Below its input by all that one core needs; what each core writes is nothing that it reads itself.
  expect_rejected("the second core's rows over those that the first one reads", [](Plan& plan) {
    const Step& step = plan.steps[1];
    plan.buffers[step.in[0]].offset = 4000;
    plan.buffers[step.out[0]].offset = 4000 - 12 * 80 - 80;
    for (const size_t buffer : {plan.steps[0].scratch, plan.inputs[0]}) plan.buffers[buffer].offset = 8000;
    plan.buffers[plan.steps[0].scratch].offset = 10'000;
  });
}

TEST(TwoCores, MayHaveSeveralMemories) {
  const Bytes file = two_layers();
  Compiled model = compile_model(file, "net", {}, two_cores());
  use_memories(model, {{3000, 1, "fast"}, {10'000, 2, "slow"}});
  ASSERT_EQ(model.plan.arenas.size(), 2U);
  expect_equal_outputs(compile_model(file, "net"), model);
}

// The generated source has the function for each core, and the sequential one.
TEST(TwoCores, GeneratedCodeWaitsAroundSplitSteps) {
  NetWriter net(1);
  const int x = net.conv(net.image(24, 20, 4), 4, 3, 1);
  const Compiled model = compile_model(net.finish({net.mean(net.conv(x, 8, 1, 1))}), "net", {}, two_cores());
  ASSERT_EQ(split_steps_of(model.plan), 2U);
  ASSERT_EQ(model.plan.steps.size(), 3U);
  for (const GeneratedFile& file : generate(model.graph, model.plan, Mode::balanced)) {
    if (file.path != "net.cpp") continue;
    const size_t part = file.text.find("net_run_part(void* memory, int core, net_barrier* barrier)");
    ASSERT_NE(part, std::string::npos);
    std::vector<std::string> lines;
    for (size_t at = part; at != std::string::npos; at = file.text.find('\n', at + 1)) {
      for (const std::string_view word : {"MOTE_WAIT", "net_step", "if (core == 0)"}) {
        if (file.text.substr(at + 1, 40).find(word) < 6) lines.emplace_back(word);
      }
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"MOTE_WAIT", "net_step", "MOTE_WAIT", "net_step", "MOTE_WAIT",
                                               "if (core == 0)", "net_step"}));
  }
}

// Each thread writes its own number, waits, and reads the other's; then both wait before they write again.
TEST(TwoCores, TheBarrierOrdersWhatBothWrite) {
  constexpr int rounds = 20'000;
  uint32_t arrived[2] = {0xFFFFFF00, 0xFFFFFF00};  // the counts wrap on the way
  int numbers[2] = {0, 0};
  int wrong[2] = {0, 0};
  const auto part = [&](int core) {
    for (int round = 1; round <= rounds; ++round) {
      numbers[core] = round;
      nn::wait_for_other(arrived, core);
      wrong[core] += numbers[1 - core] == round ? 0 : 1;
      nn::wait_for_other(arrived, core);
    }
  };
  std::thread second(part, 1);
  part(0);
  second.join();
  EXPECT_EQ(wrong[0], 0);
  EXPECT_EQ(wrong[1], 0);
  EXPECT_EQ(arrived[0], arrived[1]);
}

}  // namespace
}  // namespace mote
