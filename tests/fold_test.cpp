// SPDX-License-Identifier: Apache-2.0
// Constant folding: which nodes it takes, and what it computes.
#include "ir/fold.hpp"

#include <gtest/gtest.h>

#include "support/test_operator.hpp"

namespace mote {
namespace {

using test::Behaviour;
using test::GraphBuilder;

const Behaviour plain{.name = "plain"};
const Behaviour view{.name = "view", .alias = Alias::view};
const Behaviour doubling{.name = "double", .run = [](std::span<void* const> p) {
                           for (int i = 0; i < 2; ++i) {
                             static_cast<int8_t*>(p[1])[i] =
                                 static_cast<int8_t>(2 * static_cast<int8_t*>(p[0])[i]);
                           }
                         }};

TEST(Fold, RunsTheKernelOnTheHost) {
  GraphBuilder builder;
  const TensorId c = builder.constant("c", {2}, {3, 4});
  builder.node(doubling, {c, no_tensor}, "d", {2});
  const Node& node = builder.graph.nodes[0];
  EXPECT_TRUE(reads_only_constants(builder.graph, node));
  EXPECT_EQ(evaluate(builder.graph, node), (std::vector<Bytes>{{std::byte{6}, std::byte{8}}}));
}

TEST(Fold, AViewShowsTheConstant) {
  GraphBuilder builder;
  const TensorId c = builder.constant("c", {2}, {3, 4});
  builder.node(view, {c}, "d", {1, 2});
  EXPECT_EQ(evaluate(builder.graph, builder.graph.nodes[0]), (std::vector<Bytes>{{std::byte{3}, std::byte{4}}}));
}

TEST(Fold, LeavesInputsAndState) {
  GraphBuilder builder;
  const TensorId c = builder.constant("c", {2}, {3, 4});
  const TensorId x = builder.input("x", {2});
  builder.node(doubling, {c, x}, "d", {2});
  EXPECT_FALSE(reads_only_constants(builder.graph, builder.graph.nodes[0]));
  builder.graph.tensors[c].state = true;
  builder.node(doubling, {c}, "e", {2});
  EXPECT_FALSE(reads_only_constants(builder.graph, builder.graph.nodes[1]));
}

TEST(Fold, SaysWhenANodeHasNoKernel) {
  GraphBuilder builder;
  const TensorId c = builder.constant("c", {1}, {3});
  builder.node(plain, {c}, "y", {1});
  try {
    (void)evaluate(builder.graph, builder.graph.nodes[0]);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "plain has no kernel");
  }
}

}  // namespace
}  // namespace mote
