// SPDX-License-Identifier: Apache-2.0
// Firmware that runs its layers from a table, whole and in strips, computes what the simulator does.
#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/codegen.hpp"
#include "emulate/process.hpp"
#include "measure/measure.hpp"
#include "report/report.hpp"
#include "simulate/simulate.hpp"
#include "support/net_writer.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace mote {
namespace {

bool source_contains(const Compiled& model, std::string_view text) {
  for (const GeneratedFile& file : generate(model.graph, model.plan, Mode::size)) {
    if (file.path == model.graph.name + ".cpp") return file.text.find(text) != std::string::npos;
  }
  return false;
}

// Every layer has code, its own or shared, and stack; all of it together, and what is named as the rest, is what
// the linker counts.
void expect_all_code_told(const Compiled& model, const Target& target, const Measurement& measured) {
  const nlohmann::ordered_json json = report(model, "net.tflite", target, Mode::size, &measured);
  int64_t told = json["other_code_bytes"], deepest = 0;
  std::set<std::string> shared_names;
  EXPECT_GT(told, 0);
  EXPECT_LT(told, measured.sizes->code_bytes / 2) << "most code is some layer's";
  for (const auto& layer : json["layers"]) {
    EXPECT_FALSE(layer["code_bytes"].is_null() && layer["shared_kernel"].is_null()) << layer;
    if (layer["code_bytes"].is_number()) told += layer["code_bytes"].get<int64_t>();
    if (layer["code_bytes"].is_null()) {
      EXPECT_GT(layer["stack_bytes"].get<int64_t>(), 0);
    }
    deepest = std::max(deepest, layer["stack_bytes"].get<int64_t>());
  }
  EXPECT_FALSE(json["shared_code"].empty());
  for (const auto& code : json["shared_code"]) {
    EXPECT_GT(code["code_bytes"].get<int64_t>(), 0);
    EXPECT_FALSE(code["layers"].empty());
    told += code["code_bytes"].get<int64_t>();
    shared_names.insert(code["name"].get<std::string>());
  }
  for (size_t step = 0; step < model.plan.steps.size(); ++step) {
    const auto& kernel = json["layers"][step]["shared_kernel"];
    if (kernel.is_null()) continue;
    EXPECT_EQ(kernel, model.plan.steps[step].call.kernel);
    EXPECT_EQ(shared_names.count(kernel), 1U);
  }
  EXPECT_EQ(told, measured.sizes->code_bytes);
  EXPECT_LE(deepest, measured.sizes->stack_bound_bytes);
  EXPECT_GE(deepest + 48, measured.sizes->stack_bound_bytes) << "the deepest layer nearly is the model's bound";
}

void expect_same(const Compiled& model, const Target& target) {
  std::mt19937 random(8);
  std::vector<std::vector<Bytes>> inputs, expected;
  for (int i = 0; i < 2; ++i) {
    inputs.push_back(random_case(model.graph, random, "layers").inputs);
    expected.push_back(simulate(model.graph, model.plan, inputs.back()));
  }
  const Measurement measured = measure(model, target, Mode::size, inputs, true);
  EXPECT_EQ(measured.outputs, expected);
  EXPECT_LE(*measured.stack_peak_bytes, measured.sizes->stack_bound_bytes);
  EXPECT_EQ(measured.step_instructions.size(), model.plan.steps.size());
  expect_all_code_told(model, target, measured);
}

// Strides, residuals, windows that two steps read, layers with equal parameters.
Bytes residual_net() {
  test::NetWriter net(11);
  int x = net.depthwise(net.conv(net.image(42, 24, 3), 8, 3, 2), 3, 1);
  for (int block = 0; block < 4; ++block) {
    const int y = net.conv(net.depthwise(x, 3, 1), 8, 1, 1);
    x = net.add(x, net.conv(y, 8, 3, 1));
  }
  x = net.conv(net.depthwise(x, 3, 2), 16, 1, 1);
  return net.finish({net.mean(net.conv(x, 8, 1, 1))});
}

class Layers : public testing::TestWithParam<std::string> {};

TEST_P(Layers, InStripsComputeTheSame) {
  const Target& target = find_target(GetParam());
  const Compiled model = compile_model(residual_net(), "net", {}, plan_options(Mode::size, target.core));
  ASSERT_TRUE(source_contains(model, "nn::LayerRows"));
  expect_same(model, target);
}

TEST_P(Layers, InOnePieceComputeTheSame) {
  const Target& target = find_target(GetParam());
  const Compiled model = compile_model(residual_net(), "net", {}, target.core);
  ASSERT_TRUE(model.plan.segments.empty());
  ASSERT_TRUE(source_contains(model, "nn::Layer<") && !source_contains(model, "nn::LayerRows"));
  expect_same(model, target);
}

TEST(LayersByClang, ComputeTheSame) {
  if (run_process({"sh", "-c", "command -v clang++"}, std::chrono::seconds(10)).exit_status != 0)
    GTEST_SKIP() << "clang++ is not installed";
  const Target& target = compiled_by(find_target("rv32imac"), "clang++");
  const Compiled model = compile_model(residual_net(), "net", {}, plan_options(Mode::size, target.core));
  ASSERT_TRUE(source_contains(model, "nn::LayerRows"));
  expect_same(model, target);
}

INSTANTIATE_TEST_SUITE_P(Targets, Layers, testing::Values("rv32imac", "cortex-m0plus", "cortex-m4f", "lx106"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Layers, OfRandomNetworksComputeTheSame) {
  const Target& target = find_target("rv32imac");
  int in_strips = 0;
  for (unsigned seed = 1; seed <= 60 && in_strips < 6; ++seed) {
    SCOPED_TRACE(seed);
    const Compiled model = compile_model(test::random_net(seed), "net", {}, plan_options(Mode::size, target.core));
    if (!source_contains(model, "nn::LayerRows")) continue;
    ++in_strips;
    expect_same(model, target);
  }
  EXPECT_GE(in_strips, 3);
}

}  // namespace
}  // namespace mote
