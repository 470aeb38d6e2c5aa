// SPDX-License-Identifier: Apache-2.0
// Estimates against exact measurements: a model that no cost table has seen stays within the error that the table
// states for models it has not seen.
#include <gtest/gtest.h>

#include <cmath>

#include "fit/costs.hpp"
#include "measure/measure.hpp"
#include "support/models.hpp"
#include "support/net_writer.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

struct Way {
  std::string target;
  Mode mode;
};

class Estimate : public testing::TestWithParam<Way> {
 protected:
  void expect_within_stated_error(const Compiled& model) {
    const Target& target = find_target(GetParam().target);
    const CostTable table = costs_of(target);
    const ModeError error = table.errors.at(std::string(name(GetParam().mode)));
    const CostEstimate guess = estimate_costs(table, model.graph, model.plan, GetParam().mode);
    std::mt19937 random(1);
    const Measurement exact =
        measure(model, target, GetParam().mode, {random_case(model.graph, random, "fit").inputs}, false);
    const auto off = [](double guessed, double truth) { return std::abs(guessed / truth - 1); };
    EXPECT_LE(off(guess.instructions, static_cast<double>(exact.instructions.at(0))), error.instructions.worst);
    EXPECT_LE(off(static_cast<double>(guess.code_bytes), static_cast<double>(exact.sizes->code_bytes)),
              error.code.worst);
    EXPECT_LE(off(static_cast<double>(guess.stack_bytes), static_cast<double>(exact.sizes->stack_bound_bytes)),
              error.stack.worst);
    EXPECT_TRUE(guess.unknown.empty());
  }
};

// A separable network that no table has seen, its first layers wide.
Compiled separable_net(const PlanOptions& options) {
  test::NetWriter net(11);
  int x = net.conv(net.image(40, 40, 3), 16, 3, 2);
  for (const int64_t channels : {24, 32, 32}) x = net.conv(net.depthwise(x, 3, 1), channels, 1, 1);
  return compile_model(net.finish({net.mean(net.conv(net.depthwise(x, 3, 2), 12, 1, 1))}), "net", {}, options);
}

TEST_P(Estimate, OfANetworkWholeAndInStrips) {
  const Target& target = find_target(GetParam().target);
  const CostTable table = costs_of(target);
  ASSERT_EQ(table.measured_on, "") << "stands in for " << target.name << ", without a stated error";
  ASSERT_TRUE(table.speed_strips && table.size_strips) << "strips were not measured on " << target.name;
  expect_within_stated_error(separable_net(target.core));
  const Compiled strips = separable_net(plan_options(Mode::size, target.core));
  ASSERT_FALSE(strips.plan.segments.empty());
  expect_within_stated_error(strips);
}

TEST_P(Estimate, OfTheDigits) {
  ASSERT_EQ(costs_of(find_target(GetParam().target)).measured_on, "");
  expect_within_stated_error(compile_file(test::digits_model(), {}, find_target(GetParam().target).core));
}

INSTANTIATE_TEST_SUITE_P(Ways, Estimate,
                         testing::Values(Way{"rv32imac", Mode::size}, Way{"rv32imac", Mode::balanced},
                                         Way{"rv32imac", Mode::speed}, Way{"cortex-m4f", Mode::balanced},
                                         Way{"cortex-m0plus", Mode::balanced}, Way{"cortex-m55", Mode::balanced},
                                         Way{"lx106", Mode::balanced}),
                         [](const auto& info) {
                           std::string text = info.param.target + "_" + std::string(name(info.param.mode));
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

}  // namespace
}  // namespace mote
