// SPDX-License-Identifier: Apache-2.0
// Inputs that come row by row: the bytes of the whole input in less memory, and errors where that cannot be.
#include <gtest/gtest.h>

#include <functional>

#include "compile/compile.hpp"
#include "plan/check_segments.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

using test::NetWriter;

PlanOptions by_rows(std::optional<int64_t> goal = {}) {
  PlanOptions options;
  options.stream_input = true;
  options.arena_goal_bytes = goal;
  return options;
}

std::string error_of(const Bytes& file, const PlanOptions& options = by_rows()) {
  try {
    static_cast<void>(compile_model(file, "net", {}, options));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_equal_outputs(const Compiled& whole, const Compiled& rows) {
  std::mt19937 random(3);
  const std::vector<Bytes> inputs = random_case(whole.graph, random, "rows").inputs;
  const std::vector<Bytes> expected = simulate_apart(whole.graph, whole.plan, inputs);
  for (const bool poison : {false, true})
    EXPECT_EQ(simulate(rows.graph, rows.plan, inputs, {.poison = poison, .after_step = {}}), expected);
  EXPECT_EQ(simulate_apart(rows.graph, rows.plan, inputs), expected);
}

// The input is the largest tensor by far.
Bytes large_input() {
  NetWriter net(1);
  const int x = net.image(48, 40, 6);
  return net.finish({net.mean(net.conv(net.conv(x, 8, 3, 2), 4, 3, 2))});
}

TEST(RowInput, IsNeverWholeInTheArena) {
  const Compiled whole = compile_model(large_input(), "net", {}, plan_options(Mode::size));
  const Compiled rows = compile_model(large_input(), "net", {}, by_rows(0));
  const int64_t input = 48 * 40 * 6;
  EXPECT_GE(whole.plan.arena_bytes, input);
  EXPECT_LT(rows.plan.arena_bytes, input / 4);
  ASSERT_TRUE(streams_input(rows.plan));
  EXPECT_EQ(rows.plan.buffers[rows.plan.inputs[0]].bytes, 0);
  const Segment& segment = rows.plan.segments.at(0);
  ASSERT_EQ(segment.first, 0U);
  EXPECT_EQ(rows.plan.buffers[segment.windows.at(0).buffer].bytes, 3 * 40 * 6) << "what a window of 3x3 needs";
  expect_equal_outputs(whole, rows);
}

TEST(RowInput, RandomNetworksComputeTheSame) {
  int streamed = 0, refused = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const Bytes file = test::random_net(seed);
    const std::string error = error_of(file);
    if (!error.empty()) {
      EXPECT_NE(error.find("--stream-input: "), std::string::npos) << error;
      ++refused;
      continue;
    }
    const Compiled whole = compile_model(file, "net");
    for (const std::optional<int64_t> goal : {std::optional<int64_t>(), std::optional<int64_t>(0)})
      expect_equal_outputs(whole, compile_model(file, "net", {}, by_rows(goal)));
    ++streamed;
    if (HasFailure()) return;
  }
  std::cout << streamed << " streamed, " << refused << " refused\n";
  EXPECT_GE(streamed, 10);
}

TEST(RowInput, ErrorsNameTheLayerInTheWay) {
  NetWriter first(1);
  EXPECT_EQ(error_of(first.finish({first.mean(first.image(8, 8, 3))})),
            "--stream-input: MEAN #0 (t1) reads the input and needs all of it at once; compile without "
            "--stream-input");
  NetWriter two(1);
  const int a = two.image(8, 8, 3);
  EXPECT_EQ(error_of(two.finish({two.add(a, two.image(8, 8, 3))})),
            "--stream-input: the model has 2 inputs, rows can be pushed into one; compile without it");
  // Read again where all rows of it are known only.
  NetWriter again(1);
  const int x = again.image(8, 8, 3);
  const std::string late = error_of(again.finish({again.scaled(x, again.conv(again.mean(x), 3, 1, 1))}));
  EXPECT_NE(late.find("compile without --stream-input"), std::string::npos) << late;
  PlanOptions cores = by_rows();
  cores.cores = 2;
  EXPECT_NE(error_of(large_input(), cores).find("do not go together"), std::string::npos);
}

void expect_rejected(const std::string& what, const std::function<void(Plan&)>& spoil) {
  Compiled model = compile_model(large_input(), "net", {}, by_rows(0));
  EXPECT_NO_THROW(check_segments(model.graph, model.plan));
  spoil(model.plan);
  EXPECT_THROW(check_segments(model.graph, model.plan), Error) << what;
}

TEST(RowInput, SpoiltPlansAreRejected) {
  expect_rejected("a strip without a row", [](Plan& plan) { --plan.segments[0].steps[0].done.start; });
  expect_rejected("two rows in a strip", [](Plan& plan) { ++plan.segments[0].steps[0].done.start; });
  expect_rejected("a row too few in the window", [](Plan& plan) {
    plan.buffers[plan.segments[0].windows[0].buffer].bytes -= plan.segments[0].windows[0].row_bytes;
  });
  expect_rejected("a window over the number of rows", [](Plan& plan) {
    plan.buffers[plan.rows_pushed].offset = plan.buffers[plan.segments[0].windows[0].buffer].offset;
  });
  expect_rejected("a later layer that reads the input", [](Plan& plan) { plan.steps[1].in[0] = plan.inputs[0]; });
}

TEST(RowInput, TheHeaderOffersRowsOnly) {
  const Compiled rows = compile_model(large_input(), "net", {}, by_rows());
  for (const GeneratedFile& file : generate(rows.graph, rows.plan, Mode::balanced)) {
    if (file.path != "net.h") continue;
    for (const std::string_view text :
         {"void net_begin(void* arena);", "int net_push_row(void* arena, const int8_t* row);",
          "#define NET_ROW_COUNT 48\n", "#define NET_ROW_BYTES 240\n", "NET_INPUT0_SCALE"})
      EXPECT_NE(file.text.find(text), std::string::npos) << text;
    for (const std::string_view text : {"net_run", "net_input0(", "INPUT0_OFFSET"})
      EXPECT_EQ(file.text.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace mote
