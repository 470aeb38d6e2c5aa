// SPDX-License-Identifier: Apache-2.0
// Cost tables: what is estimated from them, and what they say when they are wrong.
#include <gtest/gtest.h>

#include "base/embedded.hpp"
#include "compile/compile.hpp"
#include "fit/costs.hpp"
#include "support/models.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

CostTable uniform_table(const Plan& plan) {
  CostTable table;
  table.target = "test";
  table.run_bytes = 1000;
  table.run_step_bytes = 10;
  table.call_bytes = {0, 30, 0, 20};
  table.library_bytes = {{"a", 7}, {"b", 5}, {"unused", 1'000'000}};
  for (auto& kernels : table.kernels) {
    for (const Step& step : plan.steps) {
      KernelCost& cost = kernels[step.call.kernel];
      cost.instructions[1] = 2;  // a visit
      cost.instructions[2] = 3;  // an output
      cost.code_bytes = 100;
      cost.stack_bytes = 64;
      cost.libraries = {"a", "b"};
    }
    kernels["*"] = {};
  }
  return table;
}

TEST(Costs, TheSumOfItsParts) {
  const Compiled model = compile_file(test::digits_model());
  const CostTable table = uniform_table(model.plan);
  double instructions = 0;
  for (const Step& step : model.plan.steps) {
    const StepWork work = work_of(model.graph, step);
    instructions += 2 * work[1] + 3 * work[2];
  }
  for (const Mode mode : {Mode::size, Mode::speed}) {
    const CostEstimate estimate = estimate_costs(table, model.graph, model.plan, mode);
    EXPECT_DOUBLE_EQ(estimate.instructions, instructions);
    EXPECT_EQ(estimate.stack_bytes, 64);
    EXPECT_TRUE(estimate.unknown.empty());
    // Shared instances are counted once, and every step that calls one pays for the call.
    const std::vector<bool> own = specialised_steps(model.graph, model.plan, mode);
    const std::set<std::string> shared = shared_kernels(model.plan, own);
    int64_t callers = 0;
    for (size_t i = 0; i < own.size(); ++i) {
      callers += !own[i] && shared.count(model.plan.steps[i].call.kernel) != 0 ? 1 : 0;
    }
    if (mode == Mode::size) {
      ASSERT_GT(callers, 0);
    }
    const int64_t copies = std::ssize(own) - callers + std::ssize(shared);
    EXPECT_EQ(estimate.code_bytes, 1000 + 12 + 10 * std::ssize(own) + 100 * copies +
                                       (mode == Mode::size ? 20 : 30) * callers +
                                       flash_data(model.plan).table_bytes);
  }
}

TEST(Costs, AnOwnCopyIsAsLongAsThatOfTheMostSimilarLayer) {
  KernelCost cost;
  cost.code_bytes = 500;
  const StepWork narrow{1, 640, 40, 160, 10, 160, 40};     // 10 pixels of 4 elements, 16 weights each, 16 inner
  const StepWork wide{1, 6400, 400, 1600, 100, 64, 1600};  // 100 pixels
  EXPECT_EQ(code_bytes_of(cost, narrow), 500) << "no real model had the kernel";
  cost.layers = {{shape_of(narrow), 1200}, {shape_of(wide), 300}};
  EXPECT_EQ(code_bytes_of(cost, narrow), 1200);
  EXPECT_EQ(code_bytes_of(cost, wide), 300);
  StepWork wider = wide;
  wider[4] *= 5, wider[1] *= 5, wider[2] *= 5, wider[5] *= 5, wider[6] *= 5;
  EXPECT_EQ(shape_of(wider), shape_of(wide)) << "nobody unrolls a hundred pixels, nor five hundred";
}

// Counted anew here from the rows that each strip computes and each window keeps.
TEST(Costs, StripsAddCallsMovedRowsAndCode) {
  const Compiled model = compile_file(test::digits_model());
  const Compiled strips = planned_for(model, plan_options(Mode::size));
  ASSERT_EQ(strips.plan.segments.size(), 1U);
  CostTable table = uniform_table(strips.plan);
  EXPECT_TRUE(estimate_costs(table, strips.graph, strips.plan, Mode::size).strips_unknown);
  const CostEstimate without = estimate_costs(table, strips.graph, strips.plan, Mode::size);
  table.size_strips = StripCost{{1000, 100, 10, 1}, 70, 48};
  const CostEstimate with = estimate_costs(table, strips.graph, strips.plan, Mode::size);
  EXPECT_FALSE(with.strips_unknown);
  const Segment& segment = strips.plan.segments[0];
  double more = 0;
  for (size_t i = 0; i < segment.steps.size(); ++i) {
    const StripStep& step = segment.steps[i];
    int64_t calls = 0, moved = 0, rows = 0;
    for (int32_t strip = 0; strip < segment.strips; ++strip) {
      calls += step.kind_of_strip.at(static_cast<size_t>(strip)) == no_kind ? 0 : 1;
      if (step.out.window != no_window && strip > 0) {
        const StripWindow& window = segment.windows[step.out.window];
        const int32_t next = window.first_row(strip);
        if (next != window.first_row(strip - 1)) moved += (rows - next) * window.row_bytes;
      }
      rows = step.done.at(strip);
    }
    more += 1000.0 * static_cast<double>(segment.strips - 1) + 100.0 * static_cast<double>(calls - 1) +
            10.0 * static_cast<double>(moved) + strip_work_of(strips.graph, strips.plan, segment.first + i)[3];
  }
  EXPECT_GT(more, 0);
  EXPECT_DOUBLE_EQ(with.instructions - without.instructions, more);
  EXPECT_EQ(with.code_bytes - without.code_bytes, 70 * std::ssize(segment.steps));
  EXPECT_EQ(with.stack_bytes - without.stack_bytes, 48);
  EXPECT_EQ(strip_work_of(strips.graph, strips.plan, segment.last + 1), StripWork{});
}

TEST(Costs, VisitsCountPaddedWeightsPixelByPixel) {
  const Compiled model = compile_file(test::digits_model());
  bool convolution = false;
  for (const Step& step : model.plan.steps) {
    const StepWork work = work_of(model.graph, step);
    const auto macs = static_cast<double>(macs_of(model.graph, model.graph.nodes[step.node]));
    EXPECT_EQ(work[0], 1);
    EXPECT_GE(work[1], macs);
    if (macs == 0) {
      EXPECT_EQ(work[1], 0);
    }
    if (step.call.kernel == "conv2d_4x4_s8") convolution = true;
  }
  EXPECT_TRUE(convolution);
}

TEST(Costs, AKernelNobodyMeasuredIsEstimatedAndFlagged) {
  const Compiled model = compile_file(test::digits_model());
  CostTable table = uniform_table(model.plan);
  const std::string kernel = model.plan.steps[0].call.kernel;
  for (auto& kernels : table.kernels) {
    kernels["*" + kernel.substr(kernel.rfind('_'))].instructions[0] = 5;
    kernels.erase(kernel);
  }
  const CostEstimate estimate = estimate_costs(table, model.graph, model.plan, Mode::speed);
  EXPECT_EQ(estimate.unknown, std::vector<std::string>{kernel});
  EXPECT_EQ(estimate.step_instructions[0], 5);
}

TEST(Costs, EveryEmulatedTargetHasATableThatReadsBack) {
  for (const Target* const target : target::all()) {
    if (target->emulator.empty()) continue;
    const CostTable table = costs_of(*target);
    EXPECT_EQ(table.target, target->name);
    const std::string text = costs_json(table).dump();
    EXPECT_EQ(costs_json(parse_costs(text, "again")).dump(), text);
    for (const Mode mode : {Mode::size, Mode::balanced, Mode::speed}) {
      if (table.measured_on.empty()) {
        EXPECT_GT(table.errors.at(std::string(name(mode))).models, 0) << target->name;
      }
    }
    for (const auto& kernels : table.kernels) EXPECT_EQ(kernels.count("*"), 1U) << target->name;
  }
}

TEST(Costs, ABrokenTableNamesItsFile) {
  try {
    static_cast<void>(parse_costs(R"({"target": "x"})", "costs/x.json"));
    FAIL();
  } catch (const Error& problem) {
    EXPECT_TRUE(std::string(problem.what()).starts_with("costs/x.json: ")) << problem.what();
    EXPECT_NE(std::string(problem.what()).find("run_bytes"), std::string::npos) << problem.what();
  }
  EXPECT_THROW(static_cast<void>(costs_of(find_target("host"))), Error);
}

}  // namespace
}  // namespace mote
