// SPDX-License-Identifier: Apache-2.0
// From graphs to plans: who shares a buffer, who may overlap, who is alive when; and plans that run.
#include <gtest/gtest.h>

#include <random>

#include "plan/make_plan.hpp"
#include "simulate/simulate.hpp"
#include "support/test_operator.hpp"

namespace mote {
namespace {

using test::Behaviour;
using test::GraphBuilder;

const Behaviour view{.name = "view", .alias = Alias::view};

void nothing(std::span<void* const>) {}

// Element-wise: reads an element before it writes the same one.
Behaviour elementwise(int dims) {
  return {.name = "elementwise",
          .order = {dims, 1, true},
          .needs = [](size_t, const Region& r) { return r; },
          .run = nothing};
}

const Behaviour opaque{.name = "opaque", .run = nothing};

TEST(MakePlan, AChainOfElementwiseNodesStaysInPlace) {
  GraphBuilder builder;
  TensorId last = builder.input("x", {100});
  for (int i = 0; i < 5; ++i) last = builder.node(elementwise(1), {last}, fmt::format("y{}", i), {100});
  builder.graph.outputs = {last};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 100);
  EXPECT_EQ(plan.lower_bound_bytes, 100);
  EXPECT_EQ(plan.steps.size(), 5U);
  EXPECT_EQ(plan.overlaps.size(), 5U);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(plan.steps[i].node, i);
}

TEST(MakePlan, AKernelWithoutAnOrderOverlapsNothing) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {100});
  builder.graph.outputs = {builder.node(opaque, {x}, "y", {60})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_TRUE(plan.overlaps.empty());
  EXPECT_EQ(plan.arena_bytes, 160);
}

// out = state += in, byte by byte.
const Behaviour accumulate{.name = "accumulate", .run = [](std::span<void* const> p) {
                             for (int i = 0; i < 4; ++i) {
                               auto* const sum = static_cast<uint8_t*>(p[1]);
                               sum[i] = static_cast<uint8_t>(sum[i] + static_cast<const uint8_t*>(p[0])[i]);
                               static_cast<uint8_t*>(p[2])[i] = sum[i];
                             }
                           }};

TEST(MakePlan, AStateKeepsItsBytesFromRunToRun) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {4});
  const TensorId sum = builder.state("sum", 4, 7);
  const TensorId y = builder.node(accumulate, {x, sum}, "y", {4});
  builder.graph.outputs = {builder.node(accumulate, {y, sum}, "z", {4})};
  const Plan plan = make_plan(builder.graph);
  ASSERT_EQ(plan.states.size(), 1U);
  EXPECT_EQ(plan.states[0].tensor, sum);
  EXPECT_EQ(plan.arena_bytes, 12) << "x and z may share, the state with nobody";
  Simulator simulator(builder.graph, plan);
  const auto bytes = [](int value) { return std::vector<Bytes>{Bytes(4, static_cast<std::byte>(value))}; };
  for (const bool poison : {false, true}) {
    simulator.reset();
    EXPECT_EQ(simulator.run(bytes(1), {.poison = poison, .after_step = {}}), bytes(7 + 1 + 8));
    EXPECT_EQ(simulator.run(bytes(1), {.poison = poison, .after_step = {}}), bytes(16 + 1 + 17));
  }
  EXPECT_EQ(simulate(builder.graph, plan, bytes(2)), bytes(18));
  EXPECT_EQ(simulate_apart(builder.graph, plan, bytes(2)), bytes(18));
}

TEST(MakePlan, StepsThatTouchOneStateKeepTheirOrder) {
  // Without the state the second branch would run first: it holds less when the first one swells.
  for (const bool with_state : {false, true}) {
    GraphBuilder builder;
    const TensorId x = builder.input("x", {10});
    const TensorId sum = builder.state("sum", 4, 0);
    std::vector<TensorId> in{x};
    if (with_state) in.push_back(sum);
    const TensorId wide = builder.node(opaque, in, "wide", {100});
    const TensorId high = builder.node(opaque, in, "high", {1000});
    const TensorId end = builder.node(opaque, {high}, "end", {1});
    builder.graph.outputs = {builder.node(opaque, {wide, end}, "z", {1})};
    const Plan plan = make_plan(builder.graph);
    EXPECT_EQ(plan.steps[0].node, with_state ? 0U : 1U);
  }
}

TEST(MakePlan, AnInputThatIsStillNeededIsNotOverwritten) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {100});
  const TensorId y = builder.node(elementwise(1), {x}, "y", {100});
  builder.graph.outputs = {builder.node(elementwise(1), {y, x}, "z", {100})};
  EXPECT_EQ(make_plan(builder.graph).arena_bytes, 200);
  EXPECT_EQ(make_plan(builder.graph).overlaps.size(), 2U);  // z with y and z with x, not y with x

  GraphBuilder also_output;
  const TensorId a = also_output.input("a", {100});
  also_output.graph.outputs = {also_output.node(elementwise(1), {a}, "b", {100}), a};
  const Plan plan = make_plan(also_output.graph);
  EXPECT_EQ(plan.arena_bytes, 200);
  EXPECT_EQ(plan.outputs[1], plan.inputs[0]);
}

// One input is read in order, its second use backwards: the stricter one counts.
TEST(MakePlan, AnInputUsedTwiceHasTheLeastOfItsDistances) {
  Behaviour behaviour = elementwise(1);
  behaviour.needs = [](size_t input, const Region& r) {
    Region needed = r;
    if (input == 1) needed.dims[0] = {10 - r.dims[0].high, 10 - r.dims[0].low};
    return needed;
  };
  GraphBuilder builder;
  const TensorId x = builder.input("x", {10});
  builder.graph.outputs = {builder.node(behaviour, {x, x}, "y", {10})};
  PlanOptions options;
  options.least_align = 1;
  const Plan plan = make_plan(builder.graph, options);
  ASSERT_EQ(plan.overlaps.size(), 1U);
  // Element 0 is read last, in step 9; step 8 has then written 9 elements.
  EXPECT_EQ(plan.overlaps[0].distance, -9);
  EXPECT_EQ(plan.arena_bytes, 19);
}

TEST(MakePlan, ViewsTakeNoMemoryAndNoStep) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {4, 25});
  const TensorId flat = builder.node(view, {x}, "flat", {100});
  const TensorId y = builder.node(opaque, {flat}, "y", {10});
  const TensorId again = builder.node(view, {y}, "again", {2, 5});
  builder.graph.outputs = {again, y, builder.node(view, {x}, "shown", {50, 2})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.buffers.size(), 2U);
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].in[0], plan.inputs[0]);
  EXPECT_EQ(plan.outputs[0], plan.outputs[1]);
  EXPECT_EQ(plan.outputs[2], plan.inputs[0]);
  EXPECT_EQ(plan.arena_bytes, 110);
}

// The view is read after the node that reads the tensor itself: the tensor may not be overwritten before.
TEST(MakePlan, AViewKeepsItsTensorAlive) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {100});
  const TensorId shown = builder.node(view, {x}, "shown", {10, 10});
  const TensorId y = builder.node(elementwise(1), {x}, "y", {100});
  builder.graph.outputs = {builder.node(opaque, {y, shown}, "z", {4})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 204);
}

TEST(MakePlan, OnlyNodesWithOneOutputOverlap) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {100});
  const TensorId y = builder.node(elementwise(1), {x}, "y", {100});
  const TensorId second = builder.add("second", {8});
  builder.graph.nodes[0].out.push_back(second);
  builder.graph.outputs = {y};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 208);  // the second output needs its place, though nobody reads it
  EXPECT_EQ(plan.steps[0].out.size(), 2U);
}

TEST(MakePlan, ScratchMemoryIsAliveInItsStepOnly) {
  Behaviour behaviour = opaque;
  behaviour.scratch_bytes = 50;
  GraphBuilder builder;
  const TensorId x = builder.input("x", {20});
  const TensorId c = builder.constant("c", {1}, {1});
  const TensorId y = builder.node(behaviour, {x, c, no_tensor}, "y", {20});
  builder.graph.outputs = {builder.node(opaque, {y}, "z", {60})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 20 + 20 + 50);
  EXPECT_EQ(plan.names[plan.steps[0].scratch], "scratch of opaque (y)");
  EXPECT_EQ(plan.steps[0].in[1], no_buffer);
  EXPECT_EQ(plan.steps[0].in[2], no_buffer);
  EXPECT_EQ(plan.steps[1].scratch, no_buffer);
}

TEST(MakePlan, ReordersBranches) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {12});
  const TensorId a = builder.node(opaque, {x}, "a", {100});
  const TensorId b = builder.node(opaque, {x}, "b", {100});
  const TensorId c = builder.node(opaque, {a}, "c", {4});
  const TensorId d = builder.node(opaque, {b}, "d", {4});
  builder.graph.outputs = {builder.node(opaque, {c, d}, "y", {4})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 116);
  EXPECT_EQ(plan.steps[1].node, 2U);
}

void expect_error(const Graph& graph, const std::string& text) {
  try {
    (void)make_plan(graph);
    FAIL() << "no error: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), text);
  }
}

TEST(MakePlan, NamesWhatItCannotPlan) {
  GraphBuilder no_kernel;
  const TensorId x = no_kernel.input("x", {4});
  no_kernel.graph.outputs = {no_kernel.node({.name = "odd"}, {x}, "y", {4})};
  expect_error(no_kernel.graph, "odd (y): odd has no kernel");

  GraphBuilder constant_output;
  constant_output.graph.outputs = {constant_output.constant("c", {1}, {1})};
  expect_error(constant_output.graph,
               "graph output 'c' is a constant that no kernel computes; remove it from the model's outputs");

  GraphBuilder constant_view;
  const TensorId c = constant_view.constant("c", {2}, {1, 2});
  constant_view.graph.outputs = {constant_view.node(view, {c}, "v", {1, 2})};
  expect_error(constant_view.graph, "view (v): a view of a constant; fold constants before planning");
}

TEST(MakePlan, AnInputMayBeAnOutput) {
  GraphBuilder builder;
  builder.graph.outputs = {builder.input("x", {7})};
  const Plan plan = make_plan(builder.graph);
  EXPECT_EQ(plan.arena_bytes, 7);
  EXPECT_TRUE(plan.steps.empty());
}

// A kernel that sums what it needs, element by element: wrong as soon as a byte is overwritten too early.
Behaviour summing(const Shape& shape, int reach, bool in_order) {
  const int64_t count = elements(shape);
  return {.name = "sum",
          .order = in_order ? Order{1, 1, true} : Order{},
          .needs =
              [count, reach](size_t, const Region& r) {
                Region needed = r;
                needed.dims[0] = {std::max<int64_t>(r.dims[0].low - reach, 0),
                                  std::min(r.dims[0].high + reach, count)};
                return needed;
              },
          .run =
              [count, reach](std::span<void* const> pointers) {
                auto* const out = static_cast<uint8_t*>(pointers.back());
                for (int64_t i = 0; i < count; ++i) {
                  int sum = 1;
                  for (size_t input = 0; input + 1 < pointers.size(); ++input) {
                    const auto* const in = static_cast<const uint8_t*>(pointers[input]);
                    const int64_t end = std::min(i + reach + 1, count);
                    for (int64_t k = std::max<int64_t>(i - reach, 0); k < end; ++k) sum += in[k];
                  }
                  out[i] = static_cast<uint8_t>(sum);
                }
              }};
}

TEST(MakePlan, RandomGraphsComputeTheSameInOneArenaAsInSeparateBuffers) {
  std::mt19937 random(1);
  int overlapping = 0;
  for (int round = 0; round < 200; ++round) {
    const Shape shape{8 + static_cast<int64_t>(random() % 40)};
    GraphBuilder builder;
    std::vector<TensorId> tensors{builder.input("x", shape), builder.input("y", shape)};
    for (size_t i = 0; i < 3 + random() % 8; ++i) {
      std::vector<TensorId> in{tensors[tensors.size() - 1 - random() % 2]};
      if (random() % 3 == 0) in.push_back(tensors[random() % tensors.size()]);
      const bool is_view = random() % 6 == 0;
      if (is_view) in.resize(1);
      const Behaviour behaviour =
          is_view ? view : summing(shape, static_cast<int>(random() % 4), random() % 5 != 0);
      tensors.push_back(builder.node(behaviour, in, fmt::format("t{}", i), shape));
    }
    builder.graph.outputs = {tensors.back(), tensors[random() % tensors.size()]};
    const Plan plan = make_plan(builder.graph);
    std::vector<Bytes> inputs(2, Bytes(static_cast<size_t>(shape[0])));
    for (Bytes& bytes : inputs) {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    }
    SimulateOptions poison;
    poison.poison = true;
    const std::vector<Bytes> together = simulate(builder.graph, plan, inputs, poison);
    ASSERT_TRUE(together == simulate_apart(builder.graph, plan, inputs)) << round;
    overlapping += plan.overlaps.empty() ? 0 : 1;
  }
  EXPECT_GT(overlapping, 100);
}

}  // namespace
}  // namespace mote
