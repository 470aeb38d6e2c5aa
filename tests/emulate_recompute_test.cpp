// SPDX-License-Identifier: Apache-2.0
// Firmware that computes layers twice gives the bytes of one that does not, with the layer table and without.
#include <gtest/gtest.h>

#include "measure/measure.hpp"
#include "plan/recompute.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

struct Way {
  std::string name, target;
  Mode mode;
  DType dtype;
  bool average;
};

class ComputedTwice : public testing::TestWithParam<Way> {};

TEST_P(ComputedTwice, GivesTheSameBytes) {
  const Way& way = GetParam();
  const Target& target = find_target(way.target);
  test::NetWriter net(6, way.dtype);
  const int wide = net.depthwise(net.conv(net.image(20, 17, 2), 12, 3, 1), 3, 1);
  const int mean = way.average ? net.conv(net.maximum(wide, 2, 2), 12, 3, 2) : wide;
  const int factor = net.conv(net.mean(mean), 12, 1, 1);
  const Bytes file = net.finish({net.conv(net.scaled(wide, factor), 6, 3, 2)});
  const Compiled twice = compile_model(file, "net", {}, plan_options(way.mode, target.core, 1));
  const Compiled once = compile_model(file, "net", {}, plan_options(Mode::size, target.core));
  EXPECT_LT(twice.plan.arena_bytes, once.plan.arena_bytes);
  EXPECT_FALSE(repeats_of(twice.graph).empty());
  std::vector<std::vector<Bytes>> inputs, expected;
  std::mt19937 random(9);
  for (int i = 0; i < 2; ++i) {
    inputs.push_back(random_case(once.graph, random, "twice").inputs);
    expected.push_back(simulate(once.graph, once.plan, inputs.back()));
  }
  const Measurement measured = measure(twice, target, way.mode, inputs, true);
  EXPECT_EQ(measured.outputs, expected);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
}

INSTANTIATE_TEST_SUITE_P(Ways, ComputedTwice,
                         testing::Values(Way{"rv32_size", "rv32imac", Mode::size, DType::i8, false},
                                         Way{"rv32_balanced", "rv32imac", Mode::balanced, DType::i8, true},
                                         Way{"m55_size", "cortex-m55", Mode::size, DType::i8, false},
                                         Way{"m4_float", "cortex-m4f", Mode::balanced, DType::f32, false}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mote
