// SPDX-License-Identifier: Apache-2.0
// Firmware that pushes the input row by row computes what a whole input gives, image after image.
#include <gtest/gtest.h>

#include "measure/measure.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "support/shared.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

Compiled with_rows(const std::function<Compiled(const PlanOptions&)>& compile, Mode mode, const Target& target) {
  PlanOptions options = plan_options(mode, target.core);
  options.stream_input = true;
  return compile(options);
}

struct Way {
  std::string name, target;
  Mode mode;
  DType dtype;
};

class SmallNet : public testing::TestWithParam<Way> {};

TEST_P(SmallNet, TakesRows) {
  const Way& way = GetParam();
  const Target& target = find_target(way.target);
  test::NetWriter net(4, way.dtype);
  const int x = net.depthwise(net.conv(net.image(21, 16, 3), 8, 3, 2), 3, 1);
  const Bytes file = net.finish({net.add(x, net.conv(x, 8, 1, 1)), net.mean(x)});
  const Compiled rows = with_rows(
      [&](const PlanOptions& options) { return compile_model(file, "net", {}, options); }, way.mode, target);
  const Compiled whole = compile_model(file, "net", {}, target.core);
  std::vector<std::vector<Bytes>> inputs, expected;
  std::mt19937 random(8);
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(random_case(whole.graph, random, "rows").inputs);
    expected.push_back(simulate(whole.graph, whole.plan, inputs.back()));
  }
  const Measurement measured = measure(rows, target, way.mode, inputs, true);
  EXPECT_EQ(measured.outputs, expected);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
  EXPECT_EQ(measured.step_instructions.size(), rows.plan.steps.size());
}

INSTANTIATE_TEST_SUITE_P(Ways, SmallNet,
                         testing::Values(Way{"rv32_size", "rv32imac", Mode::size, DType::i8},
                                         Way{"rv32_speed", "rv32imac", Mode::speed, DType::i8},
                                         Way{"rv32_float", "rv32imafc", Mode::balanced, DType::f32},
                                         Way{"m4_balanced", "cortex-m4f", Mode::balanced, DType::i8},
                                         Way{"lx106_size", "lx106", Mode::size, DType::i8}),
                         [](const auto& info) { return info.param.name; });

// A convolution without padding ends before the last row, which ends the image all the same.
TEST(Rows, ThatNobodyReadsAreTaken) {
  const Target& target = find_target("rv32imac");
  test::NetWriter net(5);
  const Bytes file =
      net.finish({net.mean(net.conv(net.conv(net.image(30, 11, 2), 8, 3, 3, false), 4, 3, 3, false))});
  const auto compile = [&](const PlanOptions& options) { return compile_model(file, "net", {}, options); };
  const Compiled whole = compile_model(file, "net", {}, target.core);
  std::vector<std::vector<Bytes>> inputs, expected;
  std::mt19937 random(8);
  for (int i = 0; i < 3; ++i) {
    inputs.push_back(random_case(whole.graph, random, "rows").inputs);
    expected.push_back(simulate(whole.graph, whole.plan, inputs.back()));
  }
  for (const Mode mode : {Mode::size, Mode::balanced})
    EXPECT_EQ(measure(with_rows(compile, mode, target), target, mode, inputs, false).outputs, expected);
}

class RealModel : public testing::TestWithParam<std::string> {};

TEST_P(RealModel, TakesRowsInLessMemory) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const Target& target = find_target("rv32imac");
  const auto compile = [&](const PlanOptions& options) {
    return compile_file(shared / "models" / (GetParam() + ".tflite"), {}, options);
  };
  const Compiled rows = with_rows(compile, Mode::size, target);
  EXPECT_LT(rows.plan.arena_bytes, compile(plan_options(Mode::size, target.core)).plan.arena_bytes);
  std::vector<Case> cases = read_golden(shared / "golden" / GetParam(), rows.graph);
  cases.resize(2);
  const Measurement measured = measure(rows, target, Mode::size, inputs_of(cases), false);
  const Comparison comparison = compare(rows.graph, cases, measured.outputs);
  EXPECT_EQ(comparison.equal_bytes, comparison.total_bytes) << comparison.first_difference;
  EXPECT_GT(comparison.total_bytes, 0);
}

INSTANTIATE_TEST_SUITE_P(Models, RealModel, testing::Values("person_detect", "vww_96_int8"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mote
