// SPDX-License-Identifier: Apache-2.0
// Generated code compiled by clang++ computes the same in an emulated core, and its costs are known.
#include <gtest/gtest.h>

#include "emulate/process.hpp"
#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/error_text.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

struct Way {
  std::string target;
  Mode mode;
};

class Clang : public testing::TestWithParam<Way> {};

// Kernels in assembly and portable ones: convolutions of three and eight channels, depthwise 3x3 with both strides
// and 5x5, a sum, a mean, a dense layer.
Bytes net_of_kernels() {
  test::NetWriter net(5);
  int x = net.conv(net.image(23, 19, 3), 8, 3, 2);
  x = net.add(x, net.conv(net.depthwise(x, 3, 1), 8, 1, 1));
  x = net.conv(net.depthwise(net.depthwise(x, 3, 2), 5, 1), 13, 1, 1);
  return net.finish({net.mean(x)});
}

TEST_P(Clang, ComputesWhatTheSimulatorDoes) {
  if (run_process({"sh", "-c", "command -v clang++"}, std::chrono::seconds(10)).exit_status != 0)
    GTEST_SKIP() << "clang++ is not installed";
  const Target& target = compiled_by(find_target(GetParam().target), "clang++");
  const Compiled model = compile_model(net_of_kernels(), "net", {}, plan_options(GetParam().mode, target.core));
  std::mt19937 random(3);
  std::vector<std::vector<Bytes>> inputs, expected;
  for (int i = 0; i < 2; ++i) {
    inputs.push_back(random_case(model.graph, random, "clang").inputs);
    expected.push_back(simulate(model.graph, model.plan, inputs.back()));
  }
  const Measurement measured = measure(model, target, GetParam().mode, inputs, true);
  EXPECT_EQ(measured.outputs, expected);
  EXPECT_GT(measured.sizes->code_bytes, 0);
  EXPECT_GT(*measured.stack_peak_bytes, 0);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
  EXPECT_LE(measured.sizes->stack_bound_bytes, 2 * *measured.stack_peak_bytes);
  EXPECT_EQ(measured.step_instructions.size(), model.plan.steps.size());
  const Measurement other = measure(model, find_target(GetParam().target), GetParam().mode, {inputs[0]}, false);
  EXPECT_NE(measured.instructions.at(0), other.instructions.at(0)) << "g++ compiled both";
  EXPECT_LT(static_cast<double>(measured.instructions[0]), 1.3 * static_cast<double>(other.instructions[0]));
}

INSTANTIATE_TEST_SUITE_P(All, Clang,
                         testing::Values(Way{"rv32imac", Mode::speed}, Way{"rv32imac", Mode::size},
                                         Way{"rv32imafc", Mode::balanced}, Way{"cortex-m0plus", Mode::balanced},
                                         Way{"cortex-m4f", Mode::speed}, Way{"cortex-m4f", Mode::size},
                                         Way{"cortex-m7", Mode::balanced}, Way{"cortex-m33", Mode::balanced},
                                         Way{"cortex-m3", Mode::speed}, Way{"cortex-m55", Mode::speed}),
                         [](const auto& info) {
                           std::string text = info.param.target + "_" + std::string(name(info.param.mode));
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST(ClangTargets, SaysWhereClangCannotServe) {
  EXPECT_EQ(&compiled_by(find_target("lx106"), "g++"), &find_target("lx106"));
  EXPECT_EQ(test::error_of([] { (void)compiled_by(find_target("lx106"), "clang++"); }),
            "clang++ has no code generator for lx106; leave --compiler out");
  EXPECT_EQ(test::error_of([] { (void)compiled_by(find_target("host"), "clang++"); }),
            "host runs in the simulator and needs no compiler; leave --compiler out");
}

}  // namespace
}  // namespace mote
