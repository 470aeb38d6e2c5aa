// SPDX-License-Identifier: Apache-2.0
// Passes: text in, text out, on graphs of tiny operators.
#include "passes/passes.hpp"

#include <gtest/gtest.h>

#include "support/test_operator.hpp"

namespace mote {
namespace {

using test::Behaviour;
using test::GraphBuilder;

const Behaviour plain{.name = "plain"};
const Behaviour view{.name = "view", .alias = Alias::view};

// Joins any `plain` that follows and becomes `joined`.
Behaviour joining() {
  return {.name = "first", .absorb = [](const Operator& next, const TensorType& middle) -> OperatorPtr {
            const bool fits = next.name() == "plain" && middle.dtype == DType::i8;
            return fits ? test::make_operator({.name = "joined"}) : nullptr;
          }};
}

TEST(RemoveDead, DropsWhatNobodyReads) {
  GraphBuilder builder;
  const TensorId unused = builder.constant("unused", {1}, {0});
  const TensorId x = builder.input("x", {4});
  const TensorId y = builder.node(plain, {x}, "y", {4});
  const TensorId a = builder.node(plain, {y, unused}, "a", {4});
  builder.node(plain, {a}, "b", {4});
  const TensorId z = builder.node(plain, {y, no_tensor}, "z", {4});
  builder.graph.outputs = {z};
  EXPECT_EQ(dump(builder.graph),
            "%1 = input 'x' i8[4]\n"
            "%2 = plain(%1) i8[4]\n"
            "%3 = plain(%2, const i8[1]) i8[4]\n"
            "%4 = plain(%3) i8[4]\n"
            "%5 = plain(%2, -) i8[4]\n"
            "output %5\n");
  const Graph graph = remove_dead(builder.graph);
  EXPECT_NO_THROW(verify(graph));
  EXPECT_EQ(dump(graph),
            "%0 = input 'x' i8[4]\n"
            "%1 = plain(%0) i8[4]\n"
            "%2 = plain(%1, -) i8[4]\n"
            "output %2\n");
  EXPECT_EQ(graph.tensors.size(), 3U);
  EXPECT_EQ(graph.tensors[2].name, "z");
}

TEST(RemoveDead, KeepsInputsThatNobodyReadsAndNodesWithOneReadOutput) {
  GraphBuilder builder;
  builder.input("ignored", {2});
  const TensorId x = builder.input("x", {4});
  const TensorId y = builder.node(plain, {x}, "y", {4});
  builder.graph.nodes[0].out.push_back(builder.add("second", {1}));
  builder.graph.outputs = {y};
  EXPECT_EQ(dump(remove_dead(builder.graph)), dump(builder.graph));
}

TEST(Fuse, JoinsANodeWithItsOnlyConsumer) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {2});
  const TensorId c = builder.constant("c", {1}, {1});
  const TensorId m = builder.node(joining(), {x}, "m", {2});
  builder.graph.outputs = {builder.node(plain, {m, c}, "y", {2})};
  const Graph graph = fuse(builder.graph);
  EXPECT_EQ(dump(graph),
            "%0 = input 'x' i8[2]\n"
            "%3 = joined(%0, const i8[1]) i8[2]\n"
            "output %3\n");
  EXPECT_EQ(graph.nodes[0].origin, "plain (y)");
  EXPECT_NO_THROW(verify(graph));
}

TEST(Fuse, LeavesATensorThatIsAlsoReadElsewhere) {
  GraphBuilder two_readers;
  const TensorId x = two_readers.input("x", {2});
  const TensorId m = two_readers.node(joining(), {x}, "m", {2});
  const TensorId y = two_readers.node(plain, {m}, "y", {2});
  two_readers.graph.outputs = {two_readers.node(plain, {y, m}, "z", {2})};
  EXPECT_EQ(dump(fuse(two_readers.graph)), dump(two_readers.graph));

  GraphBuilder also_output = two_readers;
  also_output.graph.nodes.pop_back();
  also_output.graph.outputs = {y, m};
  EXPECT_EQ(dump(fuse(also_output.graph)), dump(also_output.graph));

  GraphBuilder read_twice = two_readers;
  read_twice.graph.nodes.pop_back();
  read_twice.graph.nodes[1].in = {m, m};
  read_twice.graph.outputs = {y};
  EXPECT_EQ(dump(fuse(read_twice.graph)), dump(read_twice.graph));

  GraphBuilder second_input = two_readers;
  second_input.graph.nodes.pop_back();
  second_input.graph.nodes[1].in = {x, m};
  second_input.graph.outputs = {y};
  EXPECT_EQ(dump(fuse(second_input.graph)), dump(second_input.graph));
}

TEST(Fuse, LeavesWhatTheOperatorDoesNotKnow) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {2});
  const TensorId m = builder.node(joining(), {x}, "m", {2});
  builder.graph.outputs = {builder.node({.name = "other"}, {m}, "y", {2})};
  EXPECT_EQ(dump(fuse(builder.graph)), dump(builder.graph));
}

// Joins with its own kind, any number of times.
Behaviour greedy() {
  return {.name = "greedy", .absorb = [](const Operator& next, const TensorType&) -> OperatorPtr {
            return next.name() == "greedy" ? test::make_operator(greedy()) : nullptr;
          }};
}

TEST(Fuse, JoinsChains) {
  GraphBuilder builder;
  const TensorId x = builder.input("x", {2});
  const TensorId a = builder.node(greedy(), {x}, "a", {2});
  const TensorId b = builder.node(greedy(), {a}, "b", {2});
  builder.graph.outputs = {builder.node(greedy(), {b}, "c", {2})};
  EXPECT_EQ(dump(fuse(builder.graph)),
            "%0 = input 'x' i8[2]\n"
            "%3 = greedy(%0) i8[2]\n"
            "output %3\n");
}

}  // namespace
}  // namespace mote
