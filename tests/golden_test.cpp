// SPDX-License-Identifier: Apache-2.0
// Whole models in the simulator: every output byte against golden vectors, with dead bytes poisoned.
#include "verify/golden.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "compile/compile.hpp"
#include "simulate/simulate.hpp"
#include "support/models.hpp"
#include "support/shared.hpp"

namespace mote {
namespace {

void expect_golden(const Compiled& model, const std::filesystem::path& golden) {
  const std::vector<Case> cases = read_golden(golden, model.graph);
  std::vector<std::vector<Bytes>> outputs;
  Simulator simulator(model.graph, model.plan);
  for (const Case& one : cases) {
    if (!one.continues) simulator.reset();
    outputs.push_back(simulator.run(one.inputs, {.poison = true, .after_step = {}}));
  }
  const Comparison comparison = compare(model.graph, cases, outputs);
  EXPECT_EQ(comparison.equal_bytes, comparison.total_bytes) << comparison.first_difference;
  EXPECT_GT(comparison.total_bytes, 0);
}

TEST(Golden, DigitsEqualTheReference) { expect_golden(compile_file(test::digits_model()), test::digits_golden()); }

class RealModel : public testing::TestWithParam<std::string> {};

TEST_P(RealModel, EqualsTheReference) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  expect_golden(compile_file(shared / "models" / (GetParam() + ".tflite")), shared / "golden" / GetParam());
}

TEST_P(RealModel, EqualsTheReferenceInTheLeastArena) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const Compiled model = compile_file(shared / "models" / (GetParam() + ".tflite"), {}, plan_options(Mode::size));
  if (model.plan.segments.empty()) GTEST_SKIP() << GetParam() << " gains nothing by row strips";
  expect_golden(model, shared / "golden" / GetParam());
}

// The recorded intermediate tensors of the first case, by their names; a tensor that fusion removed is not
// compared.
TEST_P(RealModel, EveryLayerEqualsTheReference) {
  MOTE_NEEDS_SHARED();
  const std::filesystem::path shared = test::shared_directory();
  const std::filesystem::path tensors = shared / "golden" / GetParam() / "tensors";
  if (!std::filesystem::exists(tensors)) GTEST_SKIP() << "no intermediate tensors of " << GetParam();
  Compiled model = compile_file(shared / "models" / (GetParam() + ".tflite"));
  const nlohmann::json index = nlohmann::json::parse(read_text(tensors / "index.json"));
  size_t compared = 0;
  const auto check_step = [&](const Step& step, ByteSpan output) {
    const TensorId id = model.graph.nodes[step.node].out[0];
    for (const nlohmann::json& entry : index) {
      if (entry.value("name", "") != model.graph.tensors[id].name) continue;
      Graph one = model.graph;
      one.outputs = {id};
      const Case expected{
          GetParam(), {}, {read_file(tensors / fmt::format("t{}.bin", entry.at("index").get<int>()))}};
      const Comparison result = compare(one, {expected}, {{Bytes(output.begin(), output.end())}});
      EXPECT_TRUE(result.equal()) << model.graph.nodes[step.node].origin << ": " << result.first_difference;
      ++compared;
    }
  };
  const std::vector<Case> cases = read_golden(shared / "golden" / GetParam(), model.graph);
  static_cast<void>(
      simulate(model.graph, model.plan, cases.at(0).inputs, {.poison = false, .after_step = check_step}));
  EXPECT_GT(compared, 0U);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Models, RealModel, testing::ValuesIn(test::shared_models()), test_name);

}  // namespace
}  // namespace mote
