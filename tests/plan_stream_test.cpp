// SPDX-License-Identifier: Apache-2.0
// Plans whose tensors exist by rows only: they compute the same bytes in less memory, and a plan that is spoilt
// anywhere is rejected.
#include <gtest/gtest.h>

#include <functional>

#include "compile/compile.hpp"
#include "plan/check_segments.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"

namespace mote {
namespace {

using test::NetWriter;

std::vector<Bytes> random_inputs(const Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Bytes> inputs;
  for (const TensorId id : graph.inputs) {
    Bytes bytes(static_cast<size_t>(byte_size(graph.tensors[id].type)));
    for (std::byte& byte : bytes) byte = std::byte(random() >> 24);
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

struct Plans {
  Compiled whole, strips;
};

Plans plans_of(const Bytes& file, int64_t goal = 0) {
  PlanOptions options;
  options.arena_goal_bytes = goal;
  return {compile_model(file, "net"), compile_model(file, "net", {}, options)};
}

void expect_equal_outputs(const Plans& plans) {
  const std::vector<Bytes> inputs = random_inputs(plans.whole.graph, 7);
  const std::vector<Bytes> expected = simulate_apart(plans.whole.graph, plans.whole.plan, inputs);
  for (const bool poison : {false, true}) {
    EXPECT_EQ(simulate(plans.strips.graph, plans.strips.plan, inputs, {.poison = poison, .after_step = {}}),
              expected);
  }
  EXPECT_EQ(simulate_apart(plans.strips.graph, plans.strips.plan, inputs), expected);
}

Bytes two_convolutions() {
  NetWriter net(1);
  const int x = net.image(24, 20, 3);
  return net.finish({net.conv(net.conv(x, 16, 3, 1), 4, 3, 2)});
}

// What a limit reaches, size mode reaches without one: the least peak alone may leave gaps between buffers.
TEST(Strips, TheLeastArenaIsNoLargerThanThatOfAnyLimit) {
  for (const unsigned seed : {1U, 2U, 14U, 29U, 36U, 44U, 45U}) {
    SCOPED_TRACE(seed);
    const Bytes file = test::random_net(seed);
    const Plan whole = compile_model(file, "net").plan;
    const int64_t least = plans_of(file).strips.plan.arena_bytes;
    EXPECT_LE(least, whole.arena_bytes);
    for (int64_t eighths = 1; eighths < 8; ++eighths) {
      const int64_t limit = whole.lower_bound_bytes * eighths / 8;
      EXPECT_GE(plans_of(file, limit).strips.plan.arena_bytes, least) << limit;
    }
    EXPECT_GE(plans_of(file, least - 1).strips.plan.arena_bytes, least);
  }
}

TEST(Strips, TwoConvolutionsKeepOnlySomeRowsOfTheTensorBetweenThem) {
  const Plans plans = plans_of(two_convolutions());
  ASSERT_EQ(plans.strips.plan.segments.size(), 1U);
  const Segment& segment = plans.strips.plan.segments[0];
  ASSERT_EQ(segment.windows.size(), 1U);
  const Buffer& window = plans.strips.plan.buffers[segment.windows[0].buffer];
  EXPECT_EQ(window.bytes, 3 * 20 * 16) << "a window of three rows, one of which is new";
  EXPECT_GT(plans.whole.plan.arena_bytes, 24 * 20 * 16);
  EXPECT_LE(plans.strips.plan.arena_bytes, 24 * 20 * 3 + window.bytes + 1000);
  expect_equal_outputs(plans);
}

TEST(Strips, ThePlanKeepsTensorsWholeUnlessItIsAskedNotTo) {
  const Bytes file = two_convolutions();
  const Plans plans = plans_of(file);
  EXPECT_TRUE(plans.whole.plan.segments.empty());
  const int64_t least = plans.strips.plan.arena_bytes, whole = plans.whole.plan.arena_bytes;
  EXPECT_TRUE(plans_of(file, whole).strips.plan.segments.empty()) << "it fits as it is";
  const Plan fitting = plans_of(file, whole - 1).strips.plan;
  EXPECT_FALSE(fitting.segments.empty());
  EXPECT_LT(fitting.arena_bytes, whole);
  EXPECT_GE(fitting.arena_bytes, least);
  EXPECT_EQ(plans_of(file, 1).strips.plan.arena_bytes, least) << "what cannot be met is met as well as it goes";
}

// The output's rows take the place of input rows that are done with.
TEST(Strips, TheOutputMayOverlapTheInputThatDiesByRows) {
  NetWriter net(2);
  const int x = net.image(32, 32, 4);
  const Plans plans = plans_of(net.finish({net.conv(net.conv(x, 32, 3, 1), 4, 1, 1)}));
  const Plan& plan = plans.strips.plan;
  ASSERT_EQ(plan.segments.size(), 1U);
  EXPECT_LT(plan.arena_bytes, 2 * 32 * 32 * 4);
  EXPECT_NO_THROW(check_plan(plan)) << "the permission holds during the segment";
  expect_equal_outputs(plans);
}

TEST(Strips, RandomNetworksComputeTheSame) {
  int segments = 0, smaller = 0, moves = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    const Plans plans = plans_of(test::random_net(seed));
    expect_equal_outputs(plans);
    segments += static_cast<int>(plans.strips.plan.segments.size());
    smaller += plans.strips.plan.arena_bytes < plans.whole.plan.arena_bytes ? 1 : 0;
    const Plan& plan = plans.strips.plan;
    ASSERT_EQ(plan.segments.empty() && plan.moves.empty(), plan.arena_bytes == plans.whole.plan.arena_bytes);
    moves += static_cast<int>(plan.moves.size());
    if (HasFailure()) return;
  }
  std::cout << smaller << " smaller, " << segments << " segments, " << moves << " moves\n";
  EXPECT_GE(smaller, 15);
}

int64_t rows_of(const Plan& plan, size_t window) {
  const StripWindow& one = plan.segments.at(0).windows.at(window);
  return plan.buffers[one.buffer].bytes / one.row_bytes;
}

struct Resize {
  int64_t from, to;
  bool align_corners, half_pixel_centers;
};

// Up and down, also by what is no power of two: what is read twice stays, and a row more as the strips come; of a
// larger image no more rows than the next kernel needs.
TEST(Strips, ResizesRunInStrips) {
  for (const Resize& resize :
       {Resize{12, 24, false, false}, Resize{12, 24, false, true}, Resize{12, 24, true, false},
        Resize{16, 48, false, true}, Resize{16, 48, true, false}, Resize{20, 30, false, false},
        Resize{33, 11, false, true}, Resize{33, 11, true, false}, Resize{40, 10, false, true},
        Resize{24, 31, false, true}, Resize{41, 97, true, false}, Resize{97, 41, false, false},
        Resize{12, 96, false, true}}) {
    for (const DType dtype : {DType::i8, DType::i16, DType::f32}) {
      for (const bool bilinear : {true, false}) {
        SCOPED_TRACE(fmt::format("{} to {} {} {}", resize.from, resize.to, name(dtype), bilinear));
        NetWriter net(9, dtype);
        const int x = net.conv(net.image(resize.from, 10, 2), 16, 3, 1);
        const int y = bilinear ? net.bilinear(x, resize.to, 14, resize.align_corners, resize.half_pixel_centers)
                               : net.nearest(x, resize.to, 14, resize.align_corners, resize.half_pixel_centers);
        const Plans plans = plans_of(net.finish({net.conv(y, 2, 3, 2)}));
        ASSERT_EQ(plans.strips.plan.segments.size(), 1U);
        ASSERT_EQ(plans.strips.plan.segments[0].steps.size(), 3U);
        EXPECT_LE(rows_of(plans.strips.plan, 0), 3);
        EXPECT_LE(rows_of(plans.strips.plan, 1), 3);
        expect_equal_outputs(plans);
        if (HasFailure()) return;
      }
    }
  }
}

// However high the image is, a window holds the rows that its reader needs for one of its own: rates that are only
// nearly the strides' add none.
TEST(Strips, StridesThatAreNoPowerOfTwoKeepOnlyTheRowsOfTheKernel) {
  for (const int stride : {3, 5, 6, 7}) {
    for (const int64_t height : {60, 61, 100, 227}) {
      SCOPED_TRACE(fmt::format("{} rows by {}", height, stride));
      NetWriter net(10);
      const int x = net.conv(net.image(height, 12, 2), 16, 3, 1);
      const Plans plans = plans_of(net.finish({net.conv(net.conv(x, 64, 7, stride), 2, 3, 1)}));
      EXPECT_EQ(plans.strips.plan.segments.at(0).windows.at(0).written.rows, height);
      EXPECT_EQ(rows_of(plans.strips.plan, 0), 7);
      EXPECT_LT(2 * plans.strips.plan.arena_bytes, plans.whole.plan.arena_bytes);
      expect_equal_outputs(plans);
      if (HasFailure()) return;
    }
  }
}

// 3 times fewer rows, 5 times as many of those, 6 times fewer: hardly a row more than the kernels need.
TEST(Strips, ChainsOfStridesOfThreeFiveAndSixRunInStrips) {
  NetWriter net(11);
  const int x = net.maximum(net.conv(net.image(90, 16, 2), 12, 3, 1), 3, 3);
  const int y = net.conv(net.bilinear(net.conv(x, 16, 3, 1), 150, 16, false, true), 8, 3, 1);
  const Plans plans = plans_of(net.finish({net.average(y, 6, 6)}));
  EXPECT_LT(7 * plans.strips.plan.arena_bytes, plans.whole.plan.arena_bytes);
  expect_equal_outputs(plans);
}

// A plan with all that can go wrong: a branch with a window that two steps read, strides, an overlapping output.
Compiled branching() {
  NetWriter net(5);
  const int x = net.image(32, 16, 2);
  const int stem = net.conv(x, 8, 3, 1);
  const int sum = net.add(stem, net.conv(net.depthwise(stem, 3, 1), 8, 1, 1));
  return plans_of(net.finish({net.conv(net.maximum(sum, 2, 2), 8, 3, 1)})).strips;
}

void expect_rejected(const std::string& what, const std::function<void(Plan&)>& spoil) {
  Compiled model = branching();
  ASSERT_FALSE(model.plan.segments.empty());
  EXPECT_NO_THROW(check_segments(model.graph, model.plan));
  spoil(model.plan);
  EXPECT_THROW(check_segments(model.graph, model.plan), Error) << what;
}

bool keeps_rows(const Plan& plan, size_t window) {
  const Segment& segment = plan.segments[0];
  const StripWindow& kept = segment.windows[window];
  for (int32_t strip = 0; strip < segment.strips; ++strip) {
    if (kept.first_row(strip) < kept.written.at(strip - 1)) return true;
  }
  return false;
}

TEST(Strips, SpoiltPlansAreRejected) {
  int keeping = 0;
  const Compiled model = branching();
  const Segment& segment = model.plan.segments.at(0);
  EXPECT_GE(segment.windows.size(), 3U);
  for (size_t i = 0; i < segment.steps.size(); ++i) {
    const std::string step = fmt::format(" of step {}", i);
    expect_rejected("rows too early" + step, [&](Plan& plan) {
      nn::RowCount& done = plan.segments[0].steps[i].done;
      done.start += 1 << done.shift;
    });
    expect_rejected("rows too late" + step, [&](Plan& plan) {
      nn::RowCount& done = plan.segments[0].steps[i].done;
      done.start -= 1 << done.shift;
    });
    for (size_t k = 0; k < segment.steps[i].in.size(); ++k) {
      if (model.plan.steps[segment.first + i].in[k] == no_buffer) continue;
      expect_rejected("input rows begin too late" + step,
                      [&](Plan& plan) { ++plan.segments[0].steps[i].in[k].low.start; });
      expect_rejected("input rows end too early" + step,
                      [&](Plan& plan) { --plan.segments[0].steps[i].in[k].high.start; });
      expect_rejected("row size of the input" + step,
                      [&](Plan& plan) { plan.segments[0].steps[i].in[k].tensor.row_bytes += 4; });
    }
    expect_rejected("row size of the output" + step,
                    [&](Plan& plan) { plan.segments[0].steps[i].out.row_bytes -= 4; });
    for (size_t k = 0; k < segment.steps[i].fields.size(); ++k) {
      expect_rejected("a parameter" + step, [&](Plan& plan) { ++plan.segments[0].steps[i].fields[k].offset; });
    }
  }
  for (size_t i = 0; i < segment.windows.size(); ++i) {
    const std::string window = fmt::format(" of window {}", i);
    expect_rejected("one row too few" + window, [&](Plan& plan) {
      plan.buffers[plan.segments[0].windows[i].buffer].bytes -= plan.segments[0].windows[i].row_bytes;
    });
    // A window that keeps nothing from strip to strip begins with the new rows, whatever its readers do.
    if (!keeps_rows(model.plan, i)) continue;
    expect_rejected("rows are dropped too early" + window,
                    [&](Plan& plan) { ++plan.segments[0].windows[i].readers[0].low.start; });
    expect_rejected("readers are taken to be further" + window,
                    [&](Plan& plan) { plan.segments[0].windows[i].readers[0].done.start += 8; });
    ++keeping;
  }
  EXPECT_GE(keeping, 2);
  expect_rejected("one strip too few", [](Plan& plan) { --plan.segments[0].strips; });
}

// What the checks reject is what the simulator would compute wrongly: a window without its oldest row.
TEST(Strips, ASpoiltWindowComputesSomethingElse) {
  Compiled model = branching();
  const std::vector<Bytes> inputs = random_inputs(model.graph, 3);
  const std::vector<Bytes> expected = simulate(model.graph, model.plan, inputs);
  for (StripWindow& window : model.plan.segments[0].windows) ++window.readers[0].low.start;
  EXPECT_NE(simulate(model.graph, model.plan, inputs, {.poison = true, .after_step = {}}), expected);
}

TEST(Strips, OutputsThatOverlapTooFarAreRejected) {
  NetWriter net(2);
  const int x = net.image(32, 32, 4);
  Compiled model = plans_of(net.finish({net.conv(net.conv(x, 32, 3, 1), 4, 1, 1)})).strips;
  ASSERT_EQ(model.plan.overlaps.size(), 1U);
  const Overlap& overlap = model.plan.overlaps[0];
  Buffer& output = model.plan.buffers[overlap.output];
  const int64_t limit = model.plan.buffers[overlap.input].offset + overlap.distance;
  ASSERT_GE(limit, 0);
  model.plan.arena_bytes += 10'000;
  output.offset = limit;
  EXPECT_NO_THROW(check_segments(model.graph, model.plan));
  output.offset = limit + 1;
  EXPECT_THROW(check_segments(model.graph, model.plan), Error);
}

}  // namespace
}  // namespace mote
