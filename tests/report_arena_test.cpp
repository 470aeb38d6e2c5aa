// SPDX-License-Identifier: Apache-2.0
// What the report says about a plan: buffers, shared bytes, memory in use, flash by step.
#include <gtest/gtest.h>

#include "report/arena.hpp"
#include "report/details.hpp"
#include "support/models.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

using Json = nlohmann::ordered_json;

// in (100 B at 0) -> step 0 with 20 B of scratch -> middle (60 B at 100) -> step 1 -> out (50 B at 110), of which
// middle covers all; a state of 8 B lies on top.
Plan small_plan() {
  Plan plan;
  plan.buffers = {
      {100, 1, {0, 0}, 0}, {60, 1, {0, 1}, 100}, {50, 1, {1, 2}, 110}, {20, 1, {0, 0}, 160}, {8, 4, {0, 2}, 180}};
  plan.names = {"in", "middle", "out", "scratch of first", "memory"};
  plan.overlaps = {{2, 1, 10}};
  plan.steps.resize(2);
  plan.steps[0].scratch = 3;
  plan.inputs = {0};
  plan.outputs = {2};
  plan.states = {{4, 0}};
  plan.arena_bytes = 188;
  return plan;
}

std::vector<std::string> texts(const Json& list, const char* key) {
  std::vector<std::string> found;
  for (const Json& entry : list) found.push_back(entry.at(key).get<std::string>());
  return found;
}

std::vector<int64_t> integers(const Json& list, const char* key) {
  std::vector<int64_t> found;
  for (const Json& entry : list) found.push_back(entry.at(key).get<int64_t>());
  return found;
}

TEST(ReportArena, SaysWhatEachBufferIs) {
  const Json arena = arena_json(small_plan());
  EXPECT_EQ(texts(arena["buffers"], "kind"),
            (std::vector<std::string>{"input", "activation", "output", "scratch", "state"}));
  EXPECT_EQ(integers(arena["buffers"], "offset"), (std::vector<int64_t>{0, 100, 110, 160, 180}));
  EXPECT_EQ(integers(arena["buffers"], "first_step"), (std::vector<int64_t>{0, 0, 1, 0, 0}));
  EXPECT_EQ(integers(arena["buffers"], "last_step"), (std::vector<int64_t>{0, 1, 2, 0, 2}));
}

TEST(ReportArena, ListsTheBytesThatAnOutputTakesFromItsInput) {
  const Json shared = arena_json(small_plan())["shared"];
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(shared[0], (Json{{"step", 1},
                             {"last_step", 1},
                             {"output", 2},
                             {"input", 1},
                             {"offset", 110},
                             {"bytes", 50},
                             {"distance_bytes", 10}}));
}

// Both live through all steps of a segment, in which one takes the other's place row by row.
TEST(ReportArena, InASegmentBytesAreSharedInAllItsSteps) {
  Plan plan = small_plan();
  plan.buffers[1].live = plan.buffers[2].live = {0, 1};
  plan.overlaps[0].during = {0, 1};
  const Json shared = arena_json(plan)["shared"];
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(shared[0]["step"], 0);
  EXPECT_EQ(shared[0]["last_step"], 1);
}

TEST(ReportArena, SaysWhichStepWritesABuffer) {
  Plan plan = small_plan();
  plan.steps[0].out = {1};
  plan.steps[1].out = {2};
  plan.buffers.push_back({50, 1, {2, 2}, 0});
  plan.names.emplace_back("out, moved");
  plan.moves = {{2, 2, 5}};
  const Json arena = arena_json(plan);
  std::vector<Json> writers;
  for (const Json& buffer : arena["buffers"]) writers.push_back(buffer["writer"]);
  EXPECT_EQ(writers, (std::vector<Json>{nullptr, 0, 1, nullptr, nullptr, 1}));
  EXPECT_EQ(arena["moves"], (Json{{{"step", 2}, {"from", 2}, {"to", 5}}}));
  EXPECT_FALSE(arena_json(small_plan()).contains("moves"));
}

TEST(ReportArena, WindowsSayHowManyRowsTheyKeep) {
  const Compiled model = compile_file(test::digits_model(), {}, plan_options(Mode::size));
  const Json segments = segments_json(model.plan);
  ASSERT_EQ(segments.size(), 1U);
  // Of 8 rows of the first convolution 3 are kept, for a window of 3x3 with stride 2 (examples/digits).
  EXPECT_EQ(segments[0]["windows"][0]["step"], 0);
  EXPECT_EQ(segments[0]["windows"][0]["rows"], 3);
  EXPECT_EQ(segments[0]["windows"][0]["of_rows"], 8);
  EXPECT_EQ(arena_json(model.plan)["segments"], segments);
}

TEST(ReportArena, APermissionThatIsNotUsedSharesNothing) {
  Plan plan = small_plan();
  plan.buffers[2].offset = 0;  // below `middle`: they touch no common byte
  EXPECT_TRUE(arena_json(plan)["shared"].empty());
}

TEST(ReportArena, CountsSharedBytesOnceAndHolesNever) {
  const Json steps = arena_json(small_plan())["steps"];
  // Step 0: in, middle, scratch, state. Step 1: middle and the state, for out lies inside middle. Then out, state.
  EXPECT_EQ(integers(steps, "bytes"), (std::vector<int64_t>{188, 68, 58}));
  EXPECT_EQ(integers(steps, "lower_bound_bytes"), (std::vector<int64_t>{188, 68, 58}));
}

// How many pairs of buffers hold a common byte in a common step.
size_t sharing_pairs(const Plan& plan) {
  size_t pairs = 0;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Buffer &a = plan.buffers[i], &b = plan.buffers[j];
      const bool in_time = a.live.first <= b.live.last && b.live.first <= a.live.last;
      if (in_time && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes) ++pairs;
    }
  }
  return pairs;
}

void expect_consistent(const std::filesystem::path& model) {
  const Compiled compiled = compile_file(model);
  const Plan& plan = compiled.plan;
  const Json arena = arena_json(plan);
  for (size_t step = 0; step < arena["steps"].size(); ++step) {
    std::vector<bool> used(static_cast<size_t>(plan.arena_bytes));
    for (const Buffer& buffer : plan.buffers) {
      if (buffer.live.first > static_cast<int64_t>(step) || buffer.live.last < static_cast<int64_t>(step))
        continue;
      std::fill_n(used.begin() + buffer.offset, buffer.bytes, true);
    }
    EXPECT_EQ(arena["steps"][step]["bytes"].get<int64_t>(), std::count(used.begin(), used.end(), true)) << step;
    EXPECT_LE(arena["steps"][step]["lower_bound_bytes"].get<int64_t>(), arena["steps"][step]["bytes"]) << step;
  }
  const std::vector<int64_t> bounds = integers(arena["steps"], "lower_bound_bytes");
  EXPECT_EQ(*std::max_element(bounds.begin(), bounds.end()), plan.lower_bound_bytes);
  EXPECT_EQ(arena["shared"].size(), sharing_pairs(plan));
  for (const Json& shared : arena["shared"]) {
    const Buffer& output = plan.buffers[shared["output"]];
    const Buffer& input = plan.buffers[shared["input"]];
    EXPECT_EQ(output.live.first, input.live.last);
    EXPECT_LE(output.offset - input.offset, shared["distance_bytes"].get<int64_t>());
  }
}

TEST(ReportArena, AgreesWithAByteMapOfTheExample) { expect_consistent(test::digits_model()); }

TEST(ReportArena, AgreesWithAByteMapOfRealModels) {
  MOTE_NEEDS_SHARED();
  for (const char* const name : {"person_detect", "st_miniresnet_1stacks_tl", "st_mbv2_035_128_tfs"})
    expect_consistent(test::shared_directory() / "models" / (std::string(name) + ".tflite"));
}

TEST(ReportFlash, WhatTwoStepsReadCountsForTheFirst) {
  Plan plan;
  plan.steps.resize(3);
  const auto constant = [](int bytes, int value, bool weight) {
    return Constant{"c", DType::i8, Bytes(static_cast<size_t>(bytes), static_cast<std::byte>(value)), weight};
  };
  plan.steps[0].call.constants = {constant(10, 1, true), constant(256, 2, false)};
  plan.steps[1].call.constants = {constant(10, 1, true), constant(7, 3, true)};
  plan.steps[2].call.constants = {constant(256, 2, false), constant(10, 1, false)};
  const std::vector<FlashData> flash = flash_data_by_step(plan);
  ASSERT_EQ(flash.size(), 3U);
  EXPECT_EQ(flash[0].weight_bytes, 10);
  EXPECT_EQ(flash[0].table_bytes, 256);
  EXPECT_EQ(flash[1].weight_bytes, 7);
  EXPECT_EQ(flash[1].table_bytes, 0);
  EXPECT_EQ(flash[2].weight_bytes, 0);
  EXPECT_EQ(flash[2].table_bytes, 10) << "equal bytes, but a table is no weight";
  EXPECT_EQ(flash_data(plan).weight_bytes, 17);
  EXPECT_EQ(flash_data(plan).table_bytes, 266);
}

Measurement made_up_measurement(const Plan& plan) {
  Measurement measured;
  measured.instructions = {1000};
  measured.step_instructions.assign(plan.steps.size(), 100);
  measured.sizes.emplace();
  measured.sizes->code_bytes = 5000;
  measured.sizes->weight_bytes = 4900;
  measured.sizes->stack_bound_bytes = 700;
  measured.sizes->step_code_bytes.assign(plan.steps.size(), 200);
  measured.stack_peak_bytes = 650;
  measured.stack_total_bytes = 65536;
  return measured;
}

TEST(ReportDetails, SplitsCodeAndStack) {
  const Compiled compiled = compile_file(test::digits_model());
  const Measurement measured = made_up_measurement(compiled.plan);
  const auto report = [&](std::optional<int64_t> stack_size) {
    return detailed_report(compiled, "digits.tflite", find_target("rv32imac"), Mode::size, &measured, stack_size);
  };
  const Json json = report({});
  EXPECT_EQ(json["common_code_bytes"],
            5000 - 200 * static_cast<int>(compiled.plan.steps.size()) - flash_data(compiled.plan).table_bytes);
  // 700 + 60 is rounded up to the next multiple of 256.
  EXPECT_EQ(json["stack"], (Json{{"peak_bytes", 650},
                                 {"bound_bytes", 700},
                                 {"guard_bytes", 60},
                                 {"size_bytes", 768},
                                 {"free_bytes", 8}}));
  EXPECT_EQ(report(4096)["stack"]["free_bytes"], 4096 - 760);
  EXPECT_EQ(report(512)["stack"]["free_bytes"], -248);
}

TEST(ReportDetails, WithoutMeasurementNothingIsInvented) {
  const Compiled compiled = compile_file(test::digits_model());
  const Json json =
      detailed_report(compiled, "digits.tflite", find_target("host"), Mode::balanced, nullptr, std::nullopt);
  for (const char* const key : {"instructions", "code_bytes", "common_code_bytes", "stack"})
    EXPECT_TRUE(json.at(key).is_null()) << key;
  EXPECT_TRUE(json["layers"][0]["instructions"].is_null());
  // Of the example's README: seven layers with weights or windows, pixels 0 to 16 as int8 -128 to -112.
  EXPECT_EQ(json["inputs"][0], (Json{{"name", "image"},
                                     {"dtype", "i8"},
                                     {"shape", {1, 8, 8, 1}},
                                     {"bytes", 64},
                                     {"quantisation", {{"scale", 0.0625}, {"zero_point", -128}}}}));
  EXPECT_EQ(json["layers"][0]["constants"][0]["quantisation"]["channels"], 16);
  EXPECT_EQ(json["layers"][0]["constants"][0]["shape"], (Json{16, 3, 3, 1}));
}

}  // namespace
}  // namespace mote
