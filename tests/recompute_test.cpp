// SPDX-License-Identifier: Apache-2.0
// Plans that compute layers twice: the same bytes in less memory, only where a limit asks for it.
#include "plan/recompute.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "compile/compile.hpp"
#include "emulate/process.hpp"
#include "fit/memories.hpp"
#include "plan/check_segments.hpp"
#include "report/summary.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

using test::NetWriter;
using test::squeeze_and_excite;

// The first level's output waits for the decoder, which waits for a mean.
Bytes u_net() {
  NetWriter net(4);
  const int skip = net.conv(net.image(32, 32, 1), 12, 3, 1);
  const int low = net.conv(net.maximum(skip, 2, 2), 24, 3, 2);
  const int scaled = net.scaled(low, net.conv(net.mean(low), 24, 1, 1));
  const int up = net.conv(net.twice(net.twice(scaled)), 4, 1, 1);
  return net.finish({net.conv(net.concatenate(skip, up), 2, 3, 2)});
}

Compiled with_limit(const Bytes& file, std::optional<int64_t> ram, Mode mode = Mode::balanced) {
  return compile_model(file, "net", {}, plan_options(mode, {}, ram));
}

int64_t least_without(const Bytes& file) { return with_limit(file, std::nullopt, Mode::size).plan.arena_bytes; }

void expect_same_outputs(const Compiled& whole, const Compiled& other) {
  std::mt19937 random(5);
  for (int i = 0; i < 3; ++i) {
    const std::vector<Bytes> inputs = random_case(whole.graph, random, "twice").inputs;
    const std::vector<Bytes> expected = simulate_apart(whole.graph, whole.plan, inputs);
    for (const bool poison : {false, true})
      EXPECT_EQ(simulate(other.graph, other.plan, inputs, {.poison = poison, .after_step = {}}), expected);
    EXPECT_EQ(simulate_apart(other.graph, other.plan, inputs), expected);
  }
}

TEST(Recompute, ATensorThatItsMeanMultipliesNeedNotBeWhole) {
  for (const DType dtype : {DType::i8, DType::f32}) {
    for (const bool average : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", name(dtype), average ? "average pool" : "mean"));
      const Bytes file = squeeze_and_excite(dtype, average);
      const int64_t without = least_without(file);
      const Compiled least = with_limit(file, 1);
      EXPECT_LT(2 * least.plan.arena_bytes, without);
      EXPECT_FALSE(repeats_of(least.graph).empty());
      expect_same_outputs(with_limit(file, std::nullopt), least);
    }
  }
}

TEST(Recompute, ASkipConnectionIsComputedAgainWhereItIsNeeded) {
  const Compiled least = with_limit(u_net(), 1);
  EXPECT_LT(2 * least.plan.arena_bytes, least_without(u_net()));
  std::vector<std::string> again;
  for (const Repeat& repeat : repeats_of(least.graph)) again.push_back(least.graph.nodes[repeat.node].op->name());
  EXPECT_FALSE(again.empty());
  EXPECT_EQ(again.at(0), "conv2d");
  expect_same_outputs(with_limit(u_net(), std::nullopt), least);
}

TEST(Recompute, NothingIsComputedTwiceUnlessTheLimitNeedsIt) {
  const Bytes file = squeeze_and_excite();
  const int64_t without = least_without(file);
  for (const Mode mode : {Mode::size, Mode::balanced}) {
    EXPECT_TRUE(repeats_of(with_limit(file, std::nullopt, mode).graph).empty());
    EXPECT_TRUE(repeats_of(with_limit(file, without, mode).graph).empty());
    EXPECT_LT(with_limit(file, without - 1, mode).plan.arena_bytes, without);
    const Compiled half = with_limit(file, without / 2, mode);
    EXPECT_FALSE(repeats_of(half.graph).empty());
    EXPECT_LE(half.plan.arena_bytes, without / 2);
  }
}

TEST(Recompute, ALimitThatNothingKeepsGivesTheLeastArena) {
  const Bytes file = squeeze_and_excite();
  const Compiled least = with_limit(file, 1);
  const int64_t arena = least.plan.arena_bytes;
  EXPECT_EQ(with_limit(file, arena).plan.arena_bytes, arena);
  try {
    check_fits(least, {1, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(fmt::format("the arena takes {} B, 1 B are allowed", arena)),
              std::string::npos)
        << error.what();
  }
}

TEST(Recompute, TheSummarySaysWhatIsComputedTwice) {
  const Compiled least = with_limit(squeeze_and_excite(), 1);
  const nlohmann::ordered_json twice = twice_json(least.graph);
  EXPECT_EQ(twice["layers"].size(), repeats_of(least.graph).size());
  EXPECT_EQ(twice["macs"], total_macs(least.graph) - total_macs(with_limit(squeeze_and_excite(), {}).graph));
  EXPECT_NE(summary_text(least, "net").find("layers are computed twice"), std::string::npos);
}

TEST(Recompute, SpoiltSumsAreRejected) {
  const Compiled good = with_limit(squeeze_and_excite(), 1);
  const auto folds = [](const StripStep& step) { return step.out.row_bytes == 0; };
  const auto expect_rejected = [&](std::string_view what, const std::function<void(Plan&, StripStep&)>& spoil) {
    Plan plan = good.plan;
    int spoilt = 0;
    for (Segment& segment : plan.segments) {
      const auto found = std::find_if(segment.steps.begin(), segment.steps.end(), folds);
      if (found == segment.steps.end()) continue;
      spoil(plan, *found);
      ++spoilt;
    }
    ASSERT_EQ(spoilt, 1);
    EXPECT_THROW(check_segments(good.graph, plan), Error) << what;
  };
  EXPECT_NO_THROW(check_segments(good.graph, good.plan));
  expect_rejected("a row too early", [](Plan&, StripStep& step) { step.done.start += 1 << step.done.shift; });
  expect_rejected("a row is left out", [](Plan&, StripStep& step) { ++step.in[0].low.start; });
  expect_rejected("a row is missing at the end", [](Plan&, StripStep& step) { --step.in[0].high.start; });
  expect_rejected("the sums begin anew", [](Plan&, StripStep& step) {
    for (StripField& field : step.fields) field.factor += field.of == StripField::Of::first_row ? 1 : 0;
  });
  expect_rejected("something lies over the sums", [&](Plan& plan, StripStep& step) {
    const Segment& segment = *std::find_if(plan.segments.begin(), plan.segments.end(), [&](const Segment& one) {
      return &step >= one.steps.data() && &step < one.steps.data() + one.steps.size();
    });
    const size_t index = segment.first + static_cast<size_t>(&step - segment.steps.data());
    plan.buffers[plan.steps[index].out[0]].offset = plan.buffers[segment.windows.at(0).buffer].offset;
  });
}

// One memory, which has room for the arena and a stack of 1,000 bytes.
Board board_with(int64_t arena_bytes) {
  Board board = find_board("stm32l476");
  board.reserved_ram_bytes = 0;
  std::erase_if(board.memory, [](const BoardMemory& memory) { return memory.kind != MemoryKind::ram; });
  board.memory.resize(1);
  board.memory[0].bytes = arena_bytes + 1000;
  return board;
}

TEST(Recompute, ABoardThatNothingElseFitsComputesTwice) {
  const Bytes file = squeeze_and_excite();
  const Core core = find_target("cortex-m4f").core;
  PlanOptions in_strips(core);
  in_strips.arena_goal_bytes = 0;
  const int64_t without = compile_model(file, "net", {}, in_strips).plan.arena_bytes;
  for (const auto& [arena, twice] : {std::pair{without, false}, std::pair{without / 2, true}}) {
    Compiled model = compile_model(file, "net", {}, core);
    const Assessment layout = use_board(model, board_with(arena), core, Mode::balanced, 1000);
    EXPECT_EQ(layout.ram_missing_bytes, 0);
    EXPECT_LE(model.plan.arena_bytes, arena);
    EXPECT_EQ(repeats_of(model.graph).empty(), !twice);
    expect_same_outputs(with_limit(file, std::nullopt), model);
  }
  Compiled model = compile_model(file, "net", {}, core);
  EXPECT_THROW((void)use_board(model, board_with(1000), core, Mode::balanced, 1000), Error);
}

TEST(Recompute, TheProgramTakesTheLimit) {
  const TemporaryDirectory folder;
  const std::string file = (folder.path() / "net.tflite").string();
  write_file(file, [] {
    const Bytes bytes = squeeze_and_excite();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }());
  const auto run = [&](const std::string& command, int64_t ram) {
    return run_process({MOTE_PROGRAM, command, file, "--ram", std::to_string(ram)}, std::chrono::seconds(60));
  };
  const int64_t half = least_without(squeeze_and_excite()) / 2;
  for (const char* const command : {"inspect", "run", "verify"}) {
    const ProcessResult kept = run(command, half);
    EXPECT_EQ(kept.exit_status, 0) << kept.errors;
    const ProcessResult refused = run(command, 1);
    EXPECT_NE(refused.exit_status, 0);
    EXPECT_NE(refused.errors.find("net does not fit\nRAM: the arena takes"), std::string::npos) << refused.errors;
  }
  EXPECT_NE(run("run", half).output.find("layers are computed twice"), std::string::npos);
}

}  // namespace
}  // namespace mote
