// SPDX-License-Identifier: Apache-2.0
// Whole networks in tests/data (tools/onnx/test_data.py writes them) against what ONNX Runtime computed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "compile/compile.hpp"
#include "simulate/simulate.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

struct Network {
  const char* name;
  double steps;  // allowed difference in steps of the output's quantisation; 0: a float model
};

class OnnxModel : public testing::TestWithParam<Network> {};

std::vector<float> read_floats(const std::string& file) {
  const Bytes bytes = read_file(file);
  return to_values<float>(parse_npy(bytes, file).data);
}

// The scale before the last conversion to real numbers; absent in float models.
std::optional<float> output_scale(const Graph& graph) {
  const Node& last = graph.nodes.back();
  if (last.op->name() != "dequantize") return std::nullopt;
  return tensor_scale(graph.tensors[last.in[0]].type, "output");
}

TEST_P(OnnxModel, AgreesWithOnnxRuntime) {
  const std::string path = (fs::path(MOTE_SOURCE_DIR) / "tests/data" / GetParam().name).string();
  const Compiled model = compile_file(path + ".onnx");
  for (const Node& node : model.graph.nodes) EXPECT_NE(node.op->name(), "transpose") << dump(model.graph);
  const std::vector<float> input = read_floats(path + "_in.npy"), expected = read_floats(path + "_out.npy");
  const std::vector<float> got = to_values<float>(simulate(model.graph, model.plan, {to_bytes(input)}).at(0));
  ASSERT_EQ(got.size(), expected.size());
  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  const double allowed = GetParam().steps == 0
                             ? 1e-4 * static_cast<double>(*high - *low)
                             : GetParam().steps * static_cast<double>(output_scale(model.graph).value());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(got[i]), static_cast<double>(expected[i]), allowed * 1.001) << "element " << i;
  }
}

// A quantised model computes in integers from the first layer to the last.
TEST_P(OnnxModel, QuantisedLayersAreIntegers) {
  if (GetParam().steps == 0) return;
  const Compiled model =
      compile_file(fs::path(MOTE_SOURCE_DIR) / "tests/data" / (std::string(GetParam().name) + ".onnx"));
  for (const Node& node : model.graph.nodes) {
    if (node.op->name() == "dequantize") continue;
    EXPECT_NE(model.graph.tensors[node.out[0]].type.dtype, DType::f32) << node.origin;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, OnnxModel,
                         testing::Values(Network{"residual", 0}, Network{"depthwise", 0}, Network{"flattened", 0},
                                         Network{"branches", 0}, Network{"residual_QDQ_QInt8_channel", 3},
                                         Network{"residual_QOperator_QUInt8_tensor", 3},
                                         Network{"depthwise_QDQ_QUInt8_channel", 3},
                                         Network{"flattened_QOperator_QInt8_channel", 3},
                                         Network{"flattened_dynamic_channel", 0},
                                         Network{"branches_QDQ_QUInt8_tensor", 3}, Network{"recurrent", 0}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mote
